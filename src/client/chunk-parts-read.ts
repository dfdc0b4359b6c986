/**
 * Reads a range of an erasure-coded chunk. In health from the data parts alone, all of them at once; a part that is missing,
 * slow or damaged is rebuilt: the XOR of the same range of all other parts, the checksum part included, each piece of which has
 * the CRC that its server sent.
 *
 *     data part p   comes in time, CRCs right              done
 *                   no holder, or one that failed lately   ask CHECK for other holders; else rebuild
 *                   fails                                  mark it, ask CHECK for other holders; else rebuild
 *                   last one out for `stallMs`             give it up; rebuild
 *     two missing                                          try those that failed lately, then fail: the master is asked again
 */
import createDebug from 'debug';
import type { MooseFSError } from '../errors.ts';
import { ConnectionError, StatusError } from '../errors.ts';
import { addressText } from '../protocol/address.ts';
import { firstPartCode, partChunkId, stripePieces } from '../protocol/geometry.ts';
import { partSpans, xorInto } from '../protocol/parity.ts';
import type { PartSpan } from '../protocol/parity.ts';
import { Status } from '../protocol/status.ts';
import { Deadline } from '../transport/deadline.ts';
import { Stop, stopWith } from '../transport/stop.ts';
import type { PartsLocation } from './chunk-parts.ts';
import type { CallSite } from './fs-errors.ts';
import { readTraced } from './replica-read.ts';
import type { Server } from './replicas.ts';
import type { Volume } from './volume.ts';

const debug = createDebug('moosefs:read');

/** What is wanted of a chunk. */
export interface PartsReadRequest {
  readonly inode: number;
  /** Index of the chunk in the file. */
  readonly index: number;
  /** Offset in the chunk. */
  readonly offset: number;
  readonly into: Uint8Array;
  readonly deadline: Deadline;
  readonly site: CallSite;
  /** A part that sends nothing for so long, or that is so much later than all others, is rebuilt. */
  readonly stallMs: number;
  /** Told of every failure of a part. */
  readonly partFailed: (server: Server, part: number, error: MooseFSError) => void;
}

/** Who gave what. */
export interface PartService {
  readonly server: Server;
  readonly part: number;
  readonly bytes: number;
}

/** How a read of parts ended. */
export interface PartsOutcome {
  readonly error: MooseFSError | undefined;
  /** Data parts that were rebuilt. */
  readonly rebuilt: readonly number[];
  readonly served: readonly PartService[];
}

/** Fills `into` from the parts. Rejects only when the caller's time is over or it aborted. */
export async function readFromParts(
  volume: Volume,
  location: PartsLocation,
  request: PartsReadRequest,
): Promise<PartsOutcome> {
  return new PartsRead(volume, location, request).run();
}

class PartsRead {
  readonly #volume: Volume;
  readonly #location: PartsLocation;
  readonly #request: PartsReadRequest;
  /** What is needed of each data part. */
  readonly #spans: Map<number, PartSpan>;
  /** What has come of each data part: its whole span. */
  readonly #bytes = new Map<number, Uint8Array>();
  readonly #served: PartService[] = [];
  #failure: MooseFSError | undefined;

  constructor(volume: Volume, location: PartsLocation, request: PartsReadRequest) {
    this.#volume = volume;
    this.#location = location;
    this.#request = request;
    this.#spans = partSpans(request.offset, request.into.length, location.holders.dataParts);
  }

  async run(): Promise<PartsOutcome> {
    const { holders } = this.#location;
    let missing = await this.#fetchInTime([...this.#spans.keys()]);
    if (missing.length > 0) {
      await holders.complete(this.#volume.session, this.#location, this.#request);
      // A second holder is as good as the first, and one part to read instead of all.
      missing = await this.#fetchInTime(missing);
    }
    const rebuilt: number[] = [];
    if (missing.length === 1 && (await this.#rebuild(missing[0]!))) {
      rebuilt.push(...missing);
      missing = [];
    }
    if (missing.length > 0) missing = await this.#fetchAnyhow(missing);
    if (missing.length === 0) this.#assemble();
    this.#request.deadline.check(`reading chunk ${this.#request.index}`);
    const error = missing.length === 0 ? undefined : (this.#failure ?? this.#nobody(missing));
    return { error, rebuilt, served: this.#served };
  }

  /** Holders of a part that did not fail lately. */
  #trusted(part: number): Server[] {
    const { replicas } = this.#volume;
    return replicas.orderForReading(this.#location.holders.of(part)).filter((server) => !replicas.isSuspect(server));
  }

  /**
   * Fetches data parts from trusted holders, all at once. When all but one have come, that one has `stallMs` left. Gives those
   * that did not come.
   */
  async #fetchInTime(parts: readonly number[]): Promise<number[]> {
    const { deadline, stallMs } = this.#request;
    const stop = new Stop();
    const leave = stopWith(stop, deadline.signal);
    const bounded = Deadline.in(deadline.remainingMs, stop);
    let timer: NodeJS.Timeout | undefined;
    let left = parts.length;
    const watch = () => {
      if (left === 1) timer = setTimeout(() => stop.abort(new Error('later than all other parts')), stallMs);
    };
    watch();
    try {
      const results = await Promise.all(
        parts.map(async (part) => {
          const came = await this.#fetch(part, this.#trusted(part), bounded);
          left--;
          watch();
          return came ? [] : [part];
        }),
      );
      return results.flat();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** The last resort: also from holders that failed lately. */
  async #fetchAnyhow(parts: readonly number[]): Promise<number[]> {
    const results = await Promise.all(
      parts.map(async (part) =>
        (await this.#fetch(part, this.#location.holders.of(part), this.#request.deadline)) ? [] : [part],
      ),
    );
    return results.flat();
  }

  /** Reads the span of a data part from the first of these servers that gives it. */
  async #fetch(part: number, servers: readonly Server[], deadline: Deadline): Promise<boolean> {
    const span = this.#spans.get(part)!;
    for (const server of servers) {
      const into = this.#target(part, span);
      if (await this.#read(server, part, span, into, deadline)) {
        this.#bytes.set(part, into);
        return true;
      }
      if (deadline.signal?.aborted === true) return false;
    }
    return false;
  }

  /** Where a part's bytes go: to their place when they lie in one piece, else beside. */
  #target(part: number, span: PartSpan): Uint8Array {
    const pieces = this.#piecesOf(part);
    const [only] = pieces;
    if (pieces.length !== 1) return Buffer.allocUnsafeSlow(span.length);
    const at = only!.chunkOffset - this.#request.offset;
    return this.#request.into.subarray(at, at + only!.length);
  }

  #piecesOf(part: number) {
    const { offset, into } = this.#request;
    return [...stripePieces(offset, into.length, this.#location.holders.dataParts)].filter(
      (each) => each.part === part,
    );
  }

  async #read(
    server: Server,
    part: number,
    { offset, length }: PartSpan,
    into: Uint8Array,
    deadline: Deadline,
  ): Promise<boolean> {
    const { chunkId, chunkVersion, holders } = this.#location;
    const id = partChunkId(chunkId, firstPartCode(holders.dataParts) + part);
    const { error } = await readTraced(
      this.#volume,
      this.#request,
      server,
      { chunkId: id, chunkVersion, offset, into },
      { deadline, stallMs: this.#request.stallMs },
    );
    if (error === undefined) {
      this.#served.push({ server, part, bytes: length });
      return true;
    }
    // The caller's own end is no fault of the server.
    this.#request.deadline.check(`reading chunk ${this.#request.index}`);
    debug('part %d of chunk %s at %s: %s', part, chunkId.toString(16), addressText(server), error.message);
    this.#failure = error.name === 'AbortError' ? late(server) : error;
    if (isOfThisPart(error)) holders.markBad(part, server);
    this.#request.partFailed(server, part, this.#failure);
    return false;
  }

  /** One data part from all the others. */
  async #rebuild(missing: number): Promise<boolean> {
    const { holders } = this.#location;
    const span = this.#spans.get(missing)!;
    const others = Array.from({ length: holders.dataParts + 1 }, (_, part) => part).filter((part) => part !== missing);
    const sources = await Promise.all(others.map((part) => this.#source(part, span)));
    if (!sources.every((source) => source !== undefined)) return false;
    const target = this.#target(missing, span);
    target.set(sources[0]!);
    for (const source of sources.slice(1)) xorInto(target, source);
    this.#bytes.set(missing, target);
    return true;
  }

  /** A part's bytes in the span of another: what came already, or read for it. */
  async #source(part: number, span: PartSpan): Promise<Uint8Array | undefined> {
    const own = this.#spans.get(part);
    const come = this.#bytes.get(part);
    if (own !== undefined && come !== undefined) {
      const at = span.offset - own.offset;
      if (at >= 0 && at + span.length <= come.length) return come.subarray(at, at + span.length);
    }
    const { replicas } = this.#volume;
    for (const server of replicas.orderForReading(this.#location.holders.of(part))) {
      const into = Buffer.allocUnsafeSlow(span.length);
      if (await this.#read(server, part, span, into, this.#request.deadline)) return into;
    }
    return undefined;
  }

  /** Puts every piece in its place that did not come there directly. */
  #assemble(): void {
    const { offset, into } = this.#request;
    for (const [part, bytes] of this.#bytes) {
      if (bytes.buffer === into.buffer) continue;
      const span = this.#spans.get(part)!;
      for (const { partOffset, chunkOffset, length } of this.#piecesOf(part)) {
        const at = partOffset - span.offset;
        into.set(bytes.subarray(at, at + length), chunkOffset - offset);
      }
    }
  }

  #nobody(missing: readonly number[]): MooseFSError {
    const { chunkId, holders } = this.#location;
    const message = `of the ${holders.dataParts + 1} parts of chunk ${chunkId.toString(16)} nobody has number ${missing.join(' and ')}`;
    return new ConnectionError(message, { code: 'ENXIO', retryable: true });
  }
}

function late(server: Server): ConnectionError {
  const peer = addressText(server);
  return new ConnectionError(`${peer} is much later with its part than all others`, {
    code: 'ETIMEDOUT',
    peer,
    retryable: true,
  });
}

/** Says the error something of this part, or of the server? A busy server has the part all the same. */
function isOfThisPart(error: MooseFSError): boolean {
  return error instanceof StatusError && error.status !== Status.NOTDONE;
}
