/**
 * Calls that block, which the SDK does not have, for the lines of the suite that prepare a test with them: another thread with a
 * client of its own does the call, this one sleeps.
 */
import { once } from 'node:events';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import type { ConnectOptions } from '../../../src/index.ts';

/** Makes a function that does a verb of the client and blocks until it is done. */
export async function blockingClient(options: ConnectOptions): Promise<{
  call: (verb: string, ...args: unknown[]) => unknown;
  end: () => Promise<unknown>;
}> {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1: ours, port2: theirs } = new MessageChannel();
  const worker = new Worker(new URL('./sync-worker.mjs', import.meta.url), {
    workerData: { options, signal, port: theirs },
    transferList: [theirs],
  });
  // It cannot start while this thread sleeps.
  await once(worker, 'message');
  worker.unref();
  ours.unref();
  const call = (verb: string, ...args: unknown[]): unknown => {
    Atomics.store(signal, 0, 0);
    ours.postMessage({ verb, args });
    if (Atomics.wait(signal, 0, 0, 30_000) === 'timed-out') throw new Error(`${verb} has not ended for 30 s`);
    const received = receiveMessageOnPort(ours) as {
      message: { value?: unknown; error?: { message: string } };
    };
    const { value, error } = received.message;
    if (error !== undefined) throw Object.assign(new Error(error.message), error);
    return value;
  };
  return { call, end: () => worker.terminate() };
}
