/**
 * Whether a master lives, is busy, or is not to be reached, without a session: a connection and GET_VERSION, which touches
 * nothing. What the three look like from outside:
 *
 *     healthy              accepts, answers at once, and sends a NOP every second
 *     in a long operation  the kernel accepts; a new connection is mute until it ends, older ones go on getting NOPs
 *     stopped or hung      the kernel accepts; nobody hears anything any more
 *     gone, cut off        refused, reset, or no answer to SYN
 *
 * So one mute probe proves nothing: it is called busy. Only silence for longer than a master is ever silent is called unreachable.
 */
import { ConnectionError, MooseFSError } from '../errors.ts';
import { MASTER_BODY_LIMIT, NOP } from '../protocol/frame.ts';
import { decodePacket, encodePacket } from '../protocol/message.ts';
import { getVersion, versionReply } from '../protocol/messages/session.ts';
import { formatVersion } from '../protocol/version.ts';
import { Deadline } from '../transport/deadline.ts';
import { Connection, endpointText } from '../transport/tcp.ts';
import type { Endpoint } from '../transport/tcp.ts';
import { oneAnswer } from './one-answer.ts';
import { parseMasters } from './options.ts';

/** `busy` also when it cannot be told from stopped yet: ask again before anything is done about it. */
export type HealthState = 'alive' | 'busy' | 'unreachable';

/** What is known of one master. Times are milliseconds. */
export interface MasterHealth {
  readonly state: HealthState;
  /** `host:port`. */
  readonly master: string;
  /** One sentence for people. */
  readonly reason: string;
  /** How long connecting took; undefined where it failed. */
  readonly connectMs: number | undefined;
  /** How long the answer to GET_VERSION took; undefined where there was none. */
  readonly answerMs: number | undefined;
  /** Signs of life on the probe's own connection beside the answer: packets that the master sends once a second. */
  readonly nops: number;
  /** How long the probe's connection, or a session's older one, has been silent at the end; undefined where nothing was connected. */
  readonly silentMs: number | undefined;
  /** Such as `4.59.2`. */
  readonly version: string | undefined;
  readonly error: MooseFSError | undefined;
}

/** What is known of all masters that were asked: first of all the best of them. */
export interface Health extends MasterHealth {
  readonly masters: readonly MasterHealth[];
}

/** Options of a health check. */
export interface HealthOptions {
  /**
   * Time for the whole check. Default 5000: the longest pauses that were measured on healthy masters in a long operation were 3.4 s.
   */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 5000;
/** Masters drop clients that are silent for 10 s, and say something every second themselves. */
const DEAD_SILENCE_MS = 10_000;
const RANK: Record<HealthState, number> = { alive: 0, busy: 1, unreachable: 2 };

/**
 * Asks a master, or several at the same time, whether it lives. Opens no session and changes nothing. Never rejects because of a
 * master: rejects with `ERR_INVALID_ARG_VALUE` when `master` is no address, and with an AbortError when `signal` says so.
 *
 * @example
 * ```ts
 * import { health } from 'moosefs-client';
 *
 * const { state, reason } = await health('mfsmaster:9421', { timeoutMs: 3000 });
 * if (state !== 'alive') console.error(`${state}: ${reason}`);
 * ```
 */
export async function health(master: string | readonly string[], options: HealthOptions = {}): Promise<Health> {
  return healthOf(parseMasters(master).endpoints, options);
}

/** As {@link health}; `sessionSilentMs` tells when a session's connection to that master was last heard. */
export async function healthOf(
  endpoints: readonly Endpoint[],
  { timeoutMs = TIMEOUT_MS, signal }: HealthOptions,
  sessionSilentMs: (endpoint: Endpoint) => number | undefined = () => undefined,
): Promise<Health> {
  if (!(timeoutMs > 0))
    throw new MooseFSError('the option timeoutMs takes a positive number', { code: 'ERR_INVALID_ARG_VALUE' });
  const masters = await Promise.all(
    endpoints.map((endpoint) => probe(endpoint, Deadline.in(timeoutMs, signal), () => sessionSilentMs(endpoint))),
  );
  const [best] = [...masters].sort((a, b) => RANK[a.state] - RANK[b.state]);
  return { ...best!, masters };
}

async function probe(
  endpoint: Endpoint,
  deadline: Deadline,
  sessionSilentMs: () => number | undefined,
): Promise<MasterHealth> {
  const master = endpointText(endpoint);
  const startedAt = performance.now();
  const since = (moment: number): number => Math.round(performance.now() - moment);
  const heard = { nops: 0 };
  let connection: Connection | undefined;
  let connectMs: number | undefined;
  try {
    connection = await Connection.connect(endpoint, { deadline });
    connectMs = since(startedAt);
    const askedAt = performance.now();
    const version = await askVersion(connection, deadline, heard);
    const answerMs = since(askedAt);
    const reason = `${master} answered in ${answerMs} ms`;
    return { state: 'alive', master, reason, connectMs, answerMs, ...heard, silentMs: 0, version, error: undefined };
  } catch (error) {
    if (!(error instanceof MooseFSError) || error.name === 'AbortError') throw error;
    const silent = [connection && since(connection.receivedAt), sessionSilentMs()].filter((each) => each !== undefined);
    const silentMs = silent.length === 0 ? undefined : Math.round(Math.min(...silent));
    const found = { master, connectMs, answerMs: undefined, ...heard, silentMs, version: undefined, error };
    return { ...found, ...judge(master, error, connection !== undefined, silentMs) };
  } finally {
    if (connection !== undefined) {
      connection.handler = undefined;
      connection.destroy();
    }
  }
}

/** What no answer means. */
function judge(
  master: string,
  error: MooseFSError,
  connected: boolean,
  silentMs: number | undefined,
): Pick<MasterHealth, 'state' | 'reason'> {
  const timedOut = error instanceof ConnectionError && error.code === 'ETIMEDOUT';
  if (connected && timedOut && silentMs !== undefined) {
    const seconds = (silentMs / 1000).toFixed(1);
    if (silentMs < DEAD_SILENCE_MS)
      return { state: 'busy', reason: `${master} has not answered yet; it was last heard ${seconds} s ago` };
    return {
      state: 'unreachable',
      reason: `${master} is connected and has been silent for ${seconds} s: it is stopped or hung`,
    };
  }
  // A full backlog looks like a lost host; a session that still hears the master knows better.
  if (timedOut && silentMs !== undefined && silentMs < DEAD_SILENCE_MS)
    return { state: 'busy', reason: `${master} takes no new connection, but is heard on an older one` };
  return { state: 'unreachable', reason: error.message };
}

function askVersion(connection: Connection, deadline: Deadline, heard: { nops: number }): Promise<string> {
  const question = { what: `the answer of ${connection.peer}`, packet: encodePacket(getVersion, {}, 0) };
  return oneAnswer<string>(
    connection,
    { ...question, bodyLimit: MASTER_BODY_LIMIT, deadline },
    (type, body, verdict) => {
      if (type === NOP) heard.nops++;
      else if (type === versionReply.type) verdict.answer(formatVersion(decodePacket(versionReply, body, 0).version));
    },
  );
}
