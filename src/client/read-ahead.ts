/**
 * Reading ahead for a handle that is read from front to back: what lies behind the last read is asked for before it is wanted, into
 * memory that is used again. The first read out of order ends it.
 *
 * Bytes wait for their reader no longer than {@link FRESH_MS}, and not at all once the file may have changed: written or cut through
 * this client, reported as changed by the master, or locked by this handle.
 */
import { Stop } from '../transport/stop.ts';
import type { OpenFile, ReadHow } from './open-file.ts';
import type { Service } from './served-by.ts';
import { ioDeadline } from './volume.ts';
import type { Volume } from './volume.ts';

/**
 * Bytes of one request at most, and of memory that is kept for the next one. A GiB in requests of 512 KiB, sixteen at once, took the
 * servers a fifth and the client a quarter more processor time than in two of these at once.
 */
export const AHEAD_PIECE_BYTES = 2 * 1024 * 1024;
/** What the second read in a row asks for beyond itself; each further one doubles it. */
const FIRST_WINDOW = 256 * 1024;
/** A smaller request costs as much as one of this size. */
const LEAST_PIECE = 128 * 1024;
/** Who reads so much at once has enough on its way without help. */
const LARGE_READ = 2 * 1024 * 1024;
/** How old bytes may be when they are handed out: as old as names may be. */
const FRESH_MS = 1000;

/** Bytes asked for ahead. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly buffer: Buffer;
  readonly askedAt: number;
  /** {@link OpenFile.changes} when it was asked for. */
  readonly changes: number;
  /** Settled, well or not, and never rejects. */
  readonly settled: Promise<void>;
  readonly services: Service[];
  /** Bytes that came; less than asked for where it failed, or where the file has become shorter. */
  bytesRead: number;
  /** Up to where reads have taken it. */
  takenTo: number;
  /** Who still looks at the buffer: its own request, and reads that copy from it. */
  users: number;
}

/** A part of a piece that one read takes. */
interface Slice {
  readonly piece: Piece;
  readonly from: number;
  readonly to: number;
}

/** See above. */
export class ReadAhead {
  readonly #volume: Volume;
  readonly #file: OpenFile;
  readonly #closing = new Stop();
  /** Where the next read in order begins. */
  #next = 0;
  /** Bytes to have asked for behind the last read; 0 until there are two in order. */
  #window = 0;
  /** In order, without gaps, the first one from {@link Piece.takenTo} on. */
  #pieces: Piece[] = [];

  constructor(volume: Volume, file: OpenFile) {
    this.#volume = volume;
    this.#file = file;
  }

  /** As {@link OpenFile.read}. */
  async read(position: number, into: Uint8Array, how: ReadHow): Promise<number> {
    const end = position + into.length;
    const inOrder = position === this.#next;
    this.#next = end;
    if (!inOrder || into.length >= LARGE_READ || how.replica !== undefined) {
      this.#drop();
      return this.#file.read(position, into, how);
    }
    if (this.#pieces.some((piece) => !this.#isFresh(piece))) this.#drop();
    const slices = this.#take(position, end);
    const covered = slices.at(-1)?.to ?? position;
    // What nobody has asked for yet goes out first, and what is behind it in its wake.
    const rest = covered < end ? this.#file.read(covered, into.subarray(covered - position), how) : Promise.resolve(0);
    rest.catch(() => undefined);
    this.#ask(end);
    if (!(await this.#copy(slices, position, into, how))) return this.#file.read(position, into, how);
    return covered - position + (await rest);
  }

  /** Lets go of all that was asked for; what is on its way is not waited for. */
  close(): void {
    this.#closing.abort();
    this.#drop();
  }

  #isFresh({ changes, askedAt }: Piece): boolean {
    return changes === this.#file.changes && performance.now() - askedAt <= FRESH_MS;
  }

  #drop(): void {
    this.#window = 0;
    for (const piece of this.#pieces.splice(0)) {
      piece.takenTo = piece.end;
      this.#recycle(piece);
    }
  }

  /** Takes what there is of a range. */
  #take(position: number, end: number): Slice[] {
    const slices: Slice[] = [];
    let at = position;
    for (let piece = this.#pieces[0]; piece !== undefined && at < end; piece = this.#pieces[0]) {
      const to = Math.min(end, piece.end);
      piece.users++;
      piece.takenTo = to;
      slices.push({ piece, from: at, to });
      at = to;
      if (to === piece.end) this.#pieces.shift();
    }
    return slices;
  }

  /** False where a piece is not all there: then the read is made anew, and says why. */
  async #copy(slices: readonly Slice[], position: number, into: Uint8Array, how: ReadHow): Promise<boolean> {
    try {
      for (const { piece, from, to } of slices) {
        await how.deadline.bound(piece.settled, 'reading');
        if (piece.start + piece.bytesRead < to || piece.changes !== this.#file.changes) return false;
        into.set(piece.buffer.subarray(from - piece.start, to - piece.start), from - position);
        for (const service of piece.services.splice(0)) how.served?.(service);
      }
      return true;
    } finally {
      for (const { piece } of slices) {
        piece.users--;
        this.#recycle(piece);
      }
    }
  }

  /** Asks for what lies behind `end`, as far as the window reaches. */
  #ask(end: number): void {
    const { settings, readBudget } = this.#volume;
    this.#window = Math.min(settings.read.readAheadBytes, Math.max(FIRST_WINDOW, 2 * this.#window));
    // Two at once: while one is handed out, the next is on its way.
    const size = Math.max(LEAST_PIECE, Math.min(AHEAD_PIECE_BYTES, Math.floor(this.#window / 2)));
    const { length } = this.#file;
    const limit = Math.min(length, end + this.#window);
    for (let start = this.#pieces.at(-1)?.end ?? end; start < limit && !readBudget.isFull;) {
      // Ends where requests are cut anyway.
      const to = start - (start % size) + size;
      // Not in crumbs: the window moves on with the next read.
      if (to > limit && limit < length) break;
      this.#pieces.push(this.#request(start, Math.min(to, length)));
      start = to;
    }
  }

  #request(start: number, end: number): Piece {
    const { pieces, readBudget } = this.#volume;
    const size = end - start;
    const buffer = size === AHEAD_PIECE_BYTES ? pieces.take() : Buffer.allocUnsafeSlow(size);
    const services: Service[] = [];
    readBudget.take(size);
    const { changes } = this.#file;
    const reading = this.#file.read(start, buffer, {
      deadline: ioDeadline(this.#volume, this.#closing),
      site: { syscall: 'read' },
      served: (service) => services.push(service),
    });
    const settled = reading.then(
      (bytesRead) => (piece.bytesRead = bytesRead),
      () => (piece.bytesRead = 0),
    );
    const piece: Piece = {
      start,
      end,
      buffer,
      askedAt: performance.now(),
      changes,
      services,
      settled: settled.then(() => {
        piece.users--;
        this.#recycle(piece);
      }),
      bytesRead: 0,
      takenTo: start,
      users: 1,
    };
    return piece;
  }

  /** The memory may be used again when nobody looks at it and nobody will. */
  #recycle(piece: Piece): void {
    if (piece.users > 0 || piece.takenTo < piece.end) return;
    piece.takenTo = Infinity;
    this.#volume.readBudget.give(piece.buffer.length);
    this.#volume.pieces.give(piece.buffer);
  }
}
