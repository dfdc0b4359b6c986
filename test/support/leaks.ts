/** Sees what src leaves behind in this process: timers (also those that keep no process alive) and sockets. */
import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const WATCHED = new Set(['Timeout', 'Immediate', 'TCPWRAP', 'TCPCONNECTWRAP', 'TCPSERVERWRAP', 'GETADDRINFOREQWRAP']);
/** Closing a socket takes some turns of the event loop. */
const PATIENCE_MS = 2000;

/** The sources, in a line of a stack; what the test runner and the fakes begin is their own business. */
const SOURCES = /\/src\/(client|transport|protocol)\//;

/** Runs `work`; rejects when something that the sources began in it, and that must be ended, has not ended soon after. */
export async function withoutLeaks<T>(work: () => Promise<T>): Promise<T> {
  const alive = new Map<number, { readonly type: string; readonly stack: string }>();
  const hook = createHook({
    init: (id, type) => {
      if (!WATCHED.has(type)) return;
      const stack = new Error('began here').stack ?? '';
      if (SOURCES.test(stack)) alive.set(id, { type, stack });
    },
    destroy: (id) => alive.delete(id),
  });
  hook.enable();
  let result: T;
  let left: { readonly type: string; readonly stack: string }[];
  try {
    result = await work();
    left = [...alive.values()];
    for (const until = performance.now() + PATIENCE_MS; left.length > 0 && performance.now() < until;) {
      await sleep(20);
      left = [...alive.values()];
    }
  } finally {
    hook.disable();
  }
  if (left.length > 0) throw new Error(`left behind:\n${left.map(({ type, stack }) => `${type} ${stack}`).join('\n')}`);
  return result;
}
