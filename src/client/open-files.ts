/** The files that one client has open, by inode: where pushes of the master find them, and a second open the first. */
import type { Attributes } from '../protocol/attributes.ts';
import type { Push } from '../protocol/conversations/calls.ts';
import { OpenFile } from './open-file.ts';
import type { Volume } from './volume.ts';

/** Numbers of handles begin above those that the process itself has. */
const FIRST_DESCRIPTOR = 1000;

/** See above. */
export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();
  #descriptor = FIRST_DESCRIPTOR;

  /** A number for the next handle. */
  nextDescriptor(): number {
    return this.#descriptor++;
  }

  get size(): number {
    return this.#files.size;
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

  release(file: OpenFile): void {
    file.references--;
    if (file.references === 0 && this.#files.get(file.inode) === file) this.#files.delete(file.inode);
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
        for (const file of this.#files.values()) file.locations.forgetAll();
        break;
      case 'FORCE_TIMEOUT':
        break;
    }
  }
}
