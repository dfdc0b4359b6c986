/**
 * Chunks that this client may hold locked at the master, and what becomes of a WRITE_CHUNK that was given up before its answer came.
 * The master may carry it out all the same; then the chunk is locked for two minutes, for everybody, and nobody is left to unlock it.
 * So somebody goes on listening, also when the file is closed:
 *
 *     the answer is a grant           WRITE_CHUNK_END, with length 0: nothing was written
 *     it is a refusal                 nothing is locked
 *     the connection is lost before   what a master has not done by then it takes back, but one that was only stopped may have locked
 *                                     the chunk and answered nobody. Which lock is whose it does not tell, and to unlock another
 *                                     client's is worse than to wait: only our own next writer passes over it
 *
 * WRITE_CHUNK_END unlocks a chunk whoever has locked it. So a writer of this client asks for a chunk only when that is over.
 */
import createDebug from 'debug';
import * as messages from '../protocol/messages/chunk.ts';
import type { Reply } from '../protocol/message.ts';
import { Deadline } from '../transport/deadline.ts';
import type { CallSite } from './fs-errors.ts';
import type { Session } from './session.ts';

const debug = createDebug('moosefs:write');

/** How long the master keeps a lock that nobody ends. */
const LOCK_MS = 120_000;

/** What a WRITE_CHUNK that was given up came to; undefined when its connection was lost before. */
export type LateGrant = Reply<{ readonly chunkId: bigint }> | undefined;

/** A chunk as a writer knows it before it has asked for it. */
export interface ChunkPlace {
  readonly inode: number;
  readonly index: number;
  readonly site: CallSite;
}

const keyOf = ({ inode, index }: ChunkPlace): string => `${inode}:${index}`;

/** See the head of this file. */
export class ChunkLocks {
  readonly #session: Session;
  readonly #unlockMs: number;
  #held = 0;
  #whenFree: (() => void)[] = [];
  readonly #late = new Map<string, Promise<void>>();
  /** Chunks that may be locked by a request whose answer is lost; until when. */
  readonly #doubtful = new Map<string, number>();

  constructor(session: Session, unlockMs: number) {
    this.#session = session;
    this.#unlockMs = unlockMs;
  }

  /** Something begins that may lock a chunk. Call what it gives when the chunk is unlocked again. */
  hold(): () => void {
    this.#held++;
    return () => {
      this.#held--;
      if (this.#held === 0) for (const resolve of this.#whenFree.splice(0)) resolve();
    };
  }

  /** Resolves when nothing may be locked any more. */
  async whenFree(deadline: Deadline): Promise<void> {
    if (this.#held === 0) return;
    await deadline.wait<void>('unlocking chunks', (resolve) => {
      this.#whenFree.push(resolve);
      return undefined;
    });
  }

  /** A WRITE_CHUNK was given up on its way. */
  gaveUp(place: ChunkPlace, late: Promise<LateGrant>): void {
    const key = keyOf(place);
    const end = this.hold();
    const over = late
      .then((grant) => this.#settle(place, grant))
      .catch((error: unknown) => debug('chunk %d of inode %d stays locked: %s', place.index, place.inode, error))
      .finally(() => {
        this.#late.delete(key);
        end();
      });
    this.#late.set(key, over);
  }

  /** Waits until no answer is due for this chunk. Gives whether a lock that is there may be ours. */
  async settled(place: ChunkPlace, deadline: Deadline): Promise<{ mayBeOurs: boolean }> {
    const key = keyOf(place);
    const over = this.#late.get(key);
    if (over !== undefined) await deadline.bound(over, 'waiting for the master to answer an earlier WRITE_CHUNK');
    const until = this.#doubtful.get(key);
    return { mayBeOurs: until !== undefined && performance.now() < until };
  }

  /** The answer to a WRITE_CHUNK is lost: whether it locked the chunk is not known. */
  doubt(place: ChunkPlace): void {
    const now = performance.now();
    for (const [each, until] of this.#doubtful) if (until <= now) this.#doubtful.delete(each);
    this.#doubtful.set(keyOf(place), now + LOCK_MS);
  }

  /** The chunk is locked for a writer of this client, who will unlock it: there is no doubt any more. */
  granted(place: ChunkPlace): void {
    this.#doubtful.delete(keyOf(place));
  }

  async #settle(place: ChunkPlace, grant: LateGrant): Promise<void> {
    if (grant === undefined) this.doubt(place);
    else if (grant.value !== undefined) await this.#unlock(place, grant.value.chunkId);
  }

  async #unlock({ inode, index, site }: ChunkPlace, chunkId: bigint): Promise<void> {
    debug('chunk %d of inode %d was granted too late: unlocked', index, inode);
    await this.#session.tryCall(
      messages.writeChunkEnd,
      { chunkId, inode, chunkIndex: index, length: 0, flags: 0, offset: 0, size: 0 },
      { deadline: Deadline.in(this.#unlockMs), site },
    );
  }
}
