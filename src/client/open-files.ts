/**
 * The files that one client has open, by inode: where pushes of the master find them, and a second open the first. And those that it
 * has closed lately, for a master that is killed may forget them.
 */
import type { Attributes } from '../protocol/attributes.ts';
import type { Push } from '../protocol/conversations/calls.ts';
import { fsError } from './fs-errors.ts';
import { OpenFile } from './open-file.ts';
import type { Volume } from './volume.ts';

/** Numbers of handles begin above those that the process itself has. */
const FIRST_DESCRIPTOR = 1000;
/** A file that was closed so shortly before the master was lost may be forgotten; and how many are remembered for that. */
const RECENT = { ms: 2000, files: 1000 };

/** See above. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();
  /** Files that were written and closed lately, by inode, and when; the oldest first. */
  readonly #closed = new Map<number, { readonly file: OpenFile; readonly at: number }>();
  #descriptor = FIRST_DESCRIPTOR;
  #serverChanges = 0;

  /** A number for the next handle. */
  nextDescriptor(): number {
    return this.#descriptor++;
  }

  get size(): number {
    return this.#files.size;
  }

  /** Grows whenever a chunkserver has come or gone. */
  get serverChanges(): number {
    return this.#serverChanges;
  }

  get(inode: number): OpenFile | undefined {
    return this.#files.get(inode);
  }

  values(): OpenFile[] {
    return [...this.#files.values()];
  }

  /** Opens or shares a file. The caller has told the master, and calls {@link release} once. */
  acquire(volume: Volume, inode: number, attributes: Attributes, path: string | undefined): OpenFile {
    let file = this.#files.get(inode);
    if (file === undefined) this.#files.set(inode, (file = new OpenFile(volume, inode, attributes, path)));
    else file.learn(attributes);
    file.references++;
    return file;
  }

  /**
   * As {@link acquire}, of a file that was just made. One that is open with that number is another: the master has forgotten it, and
   * what is still written there would go into the new one.
   */
  made(volume: Volume, inode: number, attributes: Attributes, path: string | undefined): OpenFile {
    const forgotten = this.#files.get(inode);
    if (forgotten !== undefined) {
      const detail = 'the master came back without the file, and gave its inode to another';
      forgotten.lose(fsError('EIO', forgotten.site, { detail, retryable: true }));
      this.#files.delete(inode);
    }
    return this.acquire(volume, inode, attributes, path);
  }

  release(file: OpenFile): void {
    file.references--;
    if (file.references > 0) return;
    if (this.#files.get(file.inode) === file) this.#files.delete(file.inode);
    if (!file.chunks.isEmpty) this.#remember(file);
  }

  #remember(file: OpenFile): void {
    this.#closed.delete(file.inode);
    this.#closed.set(file.inode, { file, at: performance.now() });
    if (this.#closed.size > RECENT.files) for (const [oldest] of this.#closed) return void this.#closed.delete(oldest);
  }

  /** Files that were closed shortly before `lostAt`, each given once. */
  closedBefore(lostAt: number): OpenFile[] {
    const closed = [...this.#closed.values()];
    this.#closed.clear();
    return closed.filter(({ at }) => at > lostAt - RECENT.ms).map(({ file }) => file);
  }

  /** This client has cut a file to this length. */
  cut(inode: number, length: number): void {
    for (const file of [this.get(inode), this.#closed.get(inode)?.file]) file?.chunks.cut(length);
  }

  /** Takes what the master sends unasked. */
  push(push: Push): void {
    switch (push.name) {
      case 'CHUNK_HAS_CHANGED':
        this.get(push.inode)?.changedElsewhere(push.chunkIndex, push.truncated === 0 ? undefined : push.length);
        break;
      case 'FLENG_HAS_CHANGED':
        this.get(push.inode)?.lengthChangedElsewhere(push.length);
        break;
      case 'INVALIDATE_CHUNK_CACHE':
        this.#serverChanges++;
        for (const file of this.#files.values()) file.locations.forgetAll();
        break;
      case 'FORCE_TIMEOUT':
        break;
    }
  }
}
