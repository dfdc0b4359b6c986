/** Storage classes: what a file's class is called and how many copies it asks for. */
import createDebug from 'debug';
import { MooseFSError } from '../errors.ts';
import * as messages from '../protocol/messages/placement.ts';
import { version } from '../protocol/version.ts';
import { Deadline } from '../transport/deadline.ts';
import type { CallSite } from './fs-errors.ts';
import type { Session } from './session.ts';

const debug = createDebug('moosefs:class');

/** A class's definition is asked again after this. */
const FRESH_MS = 60_000;

/** The class of a folder's new files is asked again after this. */
const SIBLING_FRESH_MS = 5000;
/** How long a question about a class may take. */
const QUESTION_MS = 10_000;
/** Folders that are remembered. */
const SIBLING_LIMIT = 10_000;

const V4 = version('4.0.0');

/** Formats of a class definition that we ask for, by server: their number, the size of an empty one, and where its counts are. */
const formats = {
  /** 3.x: admin, mode, delay u16, three counts. */
  v0: { format: 0, emptySize: 7, countsAt: 4 },
  /** 4.0 on: admin, mode, delay u16, retention u16, 2 x EC, 4 x unique mask u32, four counts. */
  v1: { format: 1, emptySize: 28, countsAt: 24 },
  /** 4.57 on: description str8 first; the counts are the last four bytes before the labels. */
  v6: { format: 6, emptySize: 47, countsAt: 42 },
} as const;

/** What a change came to: nodes that it changed, that had it already, and that the caller may not change. */
export interface SetCounts {
  readonly changed: number;
  readonly notChanged: number;
  readonly notPermitted: number;
}

/** The name of a class; the numbered goals of 3.x are called "1" to "9". */
export function classNameOf({ name, goal }: messages.ClassCount): string {
  return name === undefined ? String(goal) : Buffer.from(name).toString();
}

/** The storage classes of the cluster, as far as they were asked for. */
export class StorageClasses {
  readonly #session: Session;
  /** By folder: what the class of files made there asks for. */
  readonly #newFiles = new Map<number, { copies: Promise<number | undefined>; at: number }>();
  /** Whether there are patterns, as far as that is known, and when it was asked. */
  #patterns: { any: boolean; readonly at: number } | undefined;
  readonly #copies = new Map<string, { copies: Promise<number | undefined>; at: number }>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** The name of an inode's class; the numbered goals of 3.x are called "1" to "9". */
  async nameOf(inode: number, deadline: Deadline, site: CallSite = { syscall: 'getStorageClass' }): Promise<string> {
    const { classes } = await this.#session.call(messages.getStorageClass, { inode, recursive: 0 }, { deadline, site });
    const first = classes.files[0] ?? classes.directories[0];
    if (first === undefined) throw new MooseFSError(`inode ${inode} has no storage class`, { code: 'EINVAL' });
    return classNameOf(first);
  }

  /** The names of all classes. */
  async list(deadline: Deadline): Promise<string[]> {
    const { names } = await this.#session.call(
      messages.listStorageClasses,
      { format: 0 },
      { deadline, site: { syscall: 'listStorageClasses' } },
    );
    const found: string[] = [];
    for (let at = 0; at < names.length; at += 1 + names[at]!)
      found.push(Buffer.from(names.subarray(at + 1, at + 1 + names[at]!)).toString());
    return found;
  }

  /** Gives an inode, or the tree below it, another class. */
  async set(
    inode: number,
    name: string,
    {
      recursive = false,
      uid,
      deadline,
      site,
    }: { recursive?: boolean; uid: number; deadline: Deadline; site: CallSite },
  ): Promise<SetCounts> {
    this.#newFiles.clear();
    const setMode = messages.SetMode.set | (recursive ? messages.SET_RECURSIVE : 0);
    return this.#session.call(
      messages.setStorageClass,
      { inode, uid, byName: messages.CLASS_BY_NAME, setMode, name: Buffer.from(name) },
      { deadline, site },
    );
  }

  /** Forgets what classes ask for: they were changed. */
  forget(): void {
    this.#patterns = undefined;
    this.#copies.clear();
    this.#newFiles.clear();
  }

  /**
   * How many full copies are written for an inode of its class; undefined where that cannot be found out. Never rejects. For a file
   * that was just made in the folder `createdIn`, a sibling's answer will do where no class is given by names.
   */
  copiesFor(inode: number, createdIn?: number): Promise<number | undefined> {
    if (createdIn === undefined || this.#mayDependOnNames()) return this.#copiesFor(inode);
    const known = this.#newFiles.get(createdIn);
    if (known !== undefined && performance.now() - known.at < SIBLING_FRESH_MS) return known.copies;
    const copies = this.#copiesFor(inode);
    if (this.#newFiles.size >= SIBLING_LIMIT) this.#newFiles.clear();
    const entry = { copies, at: performance.now() };
    this.#newFiles.set(createdIn, entry);
    // That it could not be found out says nothing of the next one.
    void copies.then((found) => {
      if (found === undefined && this.#newFiles.get(createdIn) === entry) this.#newFiles.delete(createdIn);
    });
    return copies;
  }

  /** Whether files of one folder may have several classes when they are made. True as long as that is not known. */
  #mayDependOnNames(): boolean {
    const { version: at } = this.#session;
    if (at < V4) return false;
    if (messages.listPatterns.gate?.includes(at) === false) return true;
    const now = performance.now();
    if (this.#patterns === undefined || now - this.#patterns.at >= SIBLING_FRESH_MS) void this.#lookForPatterns(now);
    return this.#patterns?.any ?? true;
  }

  async #lookForPatterns(now: number): Promise<void> {
    const found = { any: true, at: now };
    this.#patterns = found;
    try {
      const how = { deadline: Deadline.in(QUESTION_MS), site: { syscall: 'listPatterns' } };
      const { patterns } = await this.#session.call(messages.listPatterns, { format: 0 }, how);
      found.any = patterns.length > 0;
    } catch (error) {
      debug('patterns: %s', error);
    }
  }

  async #copiesFor(inode: number): Promise<number | undefined> {
    const deadline = Deadline.in(QUESTION_MS);
    try {
      return await this.#copiesOf(await this.nameOf(inode, deadline), deadline);
    } catch (error) {
      debug('inode %d: %s', inode, error);
      return undefined;
    }
  }

  #copiesOf(name: string, deadline: Deadline): Promise<number | undefined> {
    const known = this.#copies.get(name);
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return known.copies;
    const copies = this.#readCopies(name, deadline);
    this.#copies.set(name, { copies, at: performance.now() });
    copies.catch(() => this.#copies.delete(name));
    return copies;
  }

  async #readCopies(name: string, deadline: Deadline): Promise<number | undefined> {
    const isOld = this.#session.version < V4;
    // The numbered goals of 3.x mean that many copies, and may be redefined only by force.
    if (isOld && /^[1-9]$/.test(name)) return Number(name);
    const { format, emptySize, countsAt } = isOld
      ? formats.v0
      : this.#session.version < version('4.57.0')
        ? formats.v1
        : formats.v6;
    const { definition } = await this.#session.call(
      messages.readStorageClass,
      { name: Buffer.from(name), format, changeMask: 0, padding: Buffer.alloc(emptySize) },
      { deadline, site: { syscall: 'readStorageClass' } },
    );
    const at = countsAt + (format >= 6 ? 1 + definition[0]! : 0);
    const [create, keep] = [definition[at], definition[at + 1]];
    // On 4.x a class without an own "create" uses "keep".
    return create === undefined || create === 0 ? keep : create;
  }
}
