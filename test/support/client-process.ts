/**
 * What a {@link OtherProcess} runs: a client of its own that does what the other side of the channel asks for. Open files and locks
 * stay here, and are named by numbers.
 */
import { FileHandle, FileLock, MooseFS } from '../../src/index.ts';
import type { ConnectOptions } from '../../src/index.ts';

/** A call: `verb` of the thing numbered `on`, or of the client; dots lead into its parts (`xattr.set`). */
export interface Order {
  readonly id: number;
  readonly on: number | undefined;
  readonly verb: string;
  readonly args: readonly unknown[];
}

/** What came of it. `kept`: the result is a handle or a lock and stays over there under this number. */
export interface Report {
  readonly id: number;
  readonly value?: unknown;
  readonly kept?: number;
  readonly error?: { readonly name: string; readonly message: string; readonly code: unknown };
}

const things: (FileHandle | FileLock)[] = [];
const mfs = await MooseFS.connect(JSON.parse(process.argv[2]!) as ConnectOptions);

/** Loops that would take a round trip between the processes for each turn. */
const loops: Record<string, (...args: never[]) => Promise<unknown>> = {
  /** Adds 1 to the number in a file so many times, under a lock. */
  async count(path: string, times: number, range: object) {
    await using file = await mfs.open(path, 'r+');
    for (let i = 0; i < times; i++) {
      await using lock = await file.lock(range);
      const text = (await file.read(Buffer.alloc(20), 0, 20, 0)).buffer.toString('latin1');
      await file.write(String(Number(text.split('\n')[0]) + 1).padEnd(19) + '\n', 0);
      await lock.unlock();
    }
  },
  /** Appends lines of different lengths, by so many handles at once. */
  async appendLines(path: string, name: string, lines: number, handles: number) {
    const append = async (writer: number): Promise<void> => {
      await using file = await mfs.open(path, 'a');
      for (let i = 0; i < lines; i++) await file.write(`${name}${writer} ${i} ${'.'.repeat((i * 37) % 999)}\n`);
    };
    await Promise.all(Array.from({ length: handles }, (_, writer) => append(writer)));
  },
};

async function run({ on, verb, args }: Order): Promise<unknown> {
  if (verb in loops) return (loops[verb]! as (...all: readonly unknown[]) => Promise<unknown>)(...args);
  const names = verb.split('.');
  const name = names.pop()!;
  let target: unknown = on === undefined ? mfs : things[on];
  for (const each of names) target = (target as Record<string, unknown>)[each];
  const found = (target as Record<string, unknown>)[name];
  if (typeof found !== 'function') return found;
  return (found as (...all: readonly unknown[]) => unknown).apply(target, [...args]);
}

function report(id: number, value: unknown): Report {
  if (!(value instanceof FileHandle || value instanceof FileLock)) return { id, value };
  things.push(value);
  return { id, kept: things.length - 1 };
}

process.on('message', (order: Order) => {
  run(order).then(
    (value) => process.send!(report(order.id, value)),
    (error: unknown) => {
      const { name, message, code } = error as Error & { code?: unknown };
      process.send!({ id: order.id, error: { name, message, code } } satisfies Report);
    },
  );
});
// The test is over, or was killed.
process.on('disconnect', () => process.exit());
process.send!('ready');
