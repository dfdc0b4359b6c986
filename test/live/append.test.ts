/** Appending is right with many writers: in one process, and in two. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder, sharedCluster } from '../support/live.ts';
import { OtherProcess } from '../support/other-process.ts';

let mfs: MooseFS;
let folder: string;

beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'append', 2);
});
afterAll(async () => {
  await mfs.rm(folder, { recursive: true });
  await mfs.close();
});

const line = (name: string, i: number) => `${name} ${i} ${'.'.repeat((i * 37) % 999)}\n`;

/** Every line of every writer is there, whole, once, and in the order in which its writer wrote it. */
async function expectLines(path: string, writers: readonly string[], each: number): Promise<void> {
  const text = await mfs.readFile(path, 'latin1');
  const found = new Map(writers.map((name) => [name, [] as string[]]));
  for (const one of text.split('\n').slice(0, -1)) {
    const name = one.split(' ')[0]!;
    expect(found.has(name), `a line of nobody: ${JSON.stringify(one.slice(0, 80))}`).toBe(true);
    found.get(name)!.push(`${one}\n`);
  }
  for (const name of writers) expect(found.get(name)).toEqual(Array.from({ length: each }, (_, i) => line(name, i)));
}

test('two handles of one process, and a stream beside them', async () => {
  const path = `${folder}/handles`;
  const writers = ['a', 'b', 'c', 'stream'];
  const append = async (name: string): Promise<void> => {
    await using file = await mfs.open(path, 'a');
    for (let i = 0; i < 200; i++) await file.write(line(name, i));
  };
  const stream = mfs.createWriteStream(path, { flags: 'a' });
  const streamed = new Promise<void>((resolve, reject) => stream.on('finish', resolve).on('error', reject));
  for (let i = 0; i < 200; i++) stream.write(line('stream', i));
  stream.end();
  await Promise.all([append('a'), append('b'), append('c'), streamed]);
  await expectLines(path, writers, 200);
});

test('calls of one handle that nobody waits for keep their order', async () => {
  const path = `${folder}/unawaited`;
  await using file = await mfs.open(path, 'a');
  await Promise.all(Array.from({ length: 300 }, (_, i) => file.appendFile(line('one', i))));
  await file.sync();
  await expectLines(path, ['one'], 300);
});

test('appendFile of two clients at once', async () => {
  const path = `${folder}/clients`;
  await using other = await connectShared();
  const append = async (client: MooseFS, name: string): Promise<void> => {
    for (let i = 0; i < 40; i++) await client.appendFile(path, line(name, i));
  };
  await Promise.all([append(mfs, 'a'), append(other, 'b')]);
  await expectLines(path, ['a', 'b'], 40);
});

test('two processes with two handles each', async () => {
  const path = `${folder}/processes`;
  await mfs.writeFile(path, '');
  await using first = await OtherProcess.start({ master: sharedCluster().master });
  await using second = await OtherProcess.start({ master: sharedCluster().master });
  await Promise.all([
    first.call('appendLines', path, 'first', 100, 2),
    second.call('appendLines', path, 'second', 100, 2),
  ]);
  await expectLines(path, ['first0', 'first1', 'second0', 'second1'], 100);
});

test('an append goes to the end wherever others have moved it', async () => {
  const path = `${folder}/moved`;
  await using file = await mfs.open(path, 'a+');
  await file.write('one');
  await using other = await mfs.open(path, 'r+');
  await other.write('far', 100);
  await file.write('two');
  await file.truncate(4);
  await file.write('three');
  await file.sync();
  expect(await mfs.readFile(path, 'latin1')).toBe('one\0three');
});
