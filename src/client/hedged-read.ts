/** Asks a second replica when the first is slower than it should be: the sooner of the two counts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../transport/deadline.ts';
import { Stop, stopWith } from '../transport/stop.ts';
import type { Service } from './served-by.ts';

/** What one of the two reads with. */
export interface HedgeLane {
  readonly into: Uint8Array;
  readonly deadline: Deadline;
  readonly served: (service: Service) => void;
}

/** How much of the range is good, from its start, and why it is not all. */
interface Outcome {
  readonly verified: number;
  readonly error: unknown;
}

/**
 * Runs `first`, and `second` as well when that has not ended after `hedgeMs`. The first of them that ends without an error counts
 * and stops the other; if there is none, `first` counts.
 */
export async function hedged<O extends Outcome>(
  { into, deadline, served }: Omit<HedgeLane, 'served'> & { readonly served?: HedgeLane['served'] | undefined },
  hedgeMs: number,
  first: (lane: HedgeLane) => Promise<O>,
  second: (lane: HedgeLane) => Promise<O>,
): Promise<O> {
  const one = begin(first, into, deadline);
  const timer = new AbortController();
  const slow = sleep(hedgeMs, undefined, { signal: timer.signal }).catch(() => undefined);
  const early = await Promise.race([one.ended, slow]);
  timer.abort();
  // Memory of its own: both may be giving bytes at the same time.
  const two = early === undefined ? begin(second, new Uint8Array(into.length), deadline) : undefined;
  const lanes = two === undefined ? [one] : [one, two];
  const good = lanes.map(async (lane) => {
    if (await lane.ended) return lane;
    throw new Error('it failed');
  });
  const winner = await Promise.any(good).catch(() => one);
  for (const lane of lanes) lane.stop();
  // The loser lets go of the range before the winner's bytes are put there.
  await Promise.all(lanes.map((lane) => lane.ended));
  if (winner !== one) into.set(winner.into);
  for (const service of winner.services) served?.(service);
  return winner.result;
}

function begin<O extends Outcome>(
  read: (lane: HedgeLane) => Promise<O>,
  into: Uint8Array,
  deadline: Deadline,
): {
  readonly into: Uint8Array;
  readonly services: readonly Service[];
  readonly result: Promise<O>;
  /** Whether all of the range is there. Never rejects. */
  readonly ended: Promise<boolean>;
  stop(): void;
} {
  const stop = new Stop();
  const leave = stopWith(stop, deadline.signal);
  const services: Service[] = [];
  const served = (service: Service): void => void services.push(service);
  const result = read({ into, deadline: Deadline.in(deadline.remainingMs, stop), served });
  const ended = result
    .then(({ error }) => error === undefined)
    .catch(() => false)
    .finally(leave);
  return { into, services, result, ended, stop: () => stop.abort() };
}
