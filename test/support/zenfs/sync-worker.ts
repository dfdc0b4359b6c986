/** Does for another thread what that thread waits for: see blocking.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { MooseFS, Stats } from '../../../src/index.ts';
import type { ConnectOptions } from '../../../src/index.ts';

const { options, signal, port } = workerData as { options: ConnectOptions; signal: Int32Array; port: MessagePort };
const client = await MooseFS.connect(options);

async function run(verb: string, args: unknown[]): Promise<object> {
  try {
    const method = client[verb as keyof MooseFS] as (...args: unknown[]) => Promise<unknown>;
    const value = await method.apply(client, args);
    return { value: value instanceof Stats ? { stats: Object.assign({}, value) } : value };
  } catch (error) {
    // An error crosses threads without its own properties.
    const { message, code, errno, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
    return { error: { message, code, errno, syscall, path, dest } };
  }
}

port.on('message', (message: { verb: string; args: unknown[] }) => {
  void run(message.verb, message.args).then((result) => {
    port.postMessage(result);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  });
});

parentPort!.postMessage('ready');
