/** What ends an operation before its time. */
import { setMaxListeners } from 'node:events';
import { Bag } from './bag.ts';

/** An AbortSignal of the caller, or a {@link Stop} of our own. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A switch and its signal in one. An AbortController would do, but each chunk that is written has one, and so has each handle that
 * reads: node makes and listens to one in microseconds, of which a small file has few hundred.
 */
export class Stop implements StopSignal {
  #aborted = false;
  #reason: unknown;
  readonly #listeners = new Bag<() => void>();

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Tells all who listen, once. */
  abort(reason?: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    for (const listener of this.#listeners.all()) listener();
    this.#listeners.clear();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#aborted) this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }
}

const heard = new WeakSet<StopSignal>();

/**
 * Calls `listener` when `signal` aborts; give both to its `removeEventListener` when that is not wanted any more. Node would warn of more
 * than ten who listen to one: a signal for two hundred uploads has as many, and a copied tree more.
 */
export function onAbort(signal: StopSignal, listener: () => void): void {
  if (signal instanceof AbortSignal && !heard.has(signal)) {
    heard.add(signal);
    setMaxListeners(0, signal);
  }
  signal.addEventListener('abort', listener);
}

/** Aborts `stop` when `signal` does; call what it gives when that is not wanted any more. */
export function stopWith(stop: Stop, signal: StopSignal | undefined): () => void {
  if (signal === undefined) return () => undefined;
  const follow = (): void => stop.abort(signal.reason);
  if (signal.aborted) follow();
  else onAbort(signal, follow);
  return () => signal.removeEventListener('abort', follow);
}
