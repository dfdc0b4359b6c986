/**
 * A large folder, read in pages where the server can continue a listing (4.58 on). MFS_TEST_ENTRIES takes another number of entries:
 * 100000 was tried by hand.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MasterTrace, MooseFS } from '../../src/index.ts';
import { connectShared, sharedCluster } from '../support/live.ts';

const ENTRIES = Number(process.env['MFS_TEST_ENTRIES'] ?? 20_000);
const MAKERS = 64;

let mfs: MooseFS;
let folder: string;
const nameOf = (i: number) => `entry-${String(i).padStart(7, '0')}`;

beforeAll(async () => {
  mfs = await connectShared();
  folder = await mfs.mkdtemp('/large-');
  const started = performance.now();
  let next = 0;
  const make = async (): Promise<void> => {
    while (next < ENTRIES) await mfs.symlink('x', `${folder}/${nameOf(next++)}`);
  };
  await Promise.all(Array.from({ length: MAKERS }, make));
  process.stderr.write(`${ENTRIES} entries made in ${Math.round(performance.now() - started)} ms\n`);
}, 600_000);

afterAll(async () => {
  await mfs.rm(folder, { recursive: true });
  await mfs.close();
}, 600_000);

/** How often the master is asked for a listing meanwhile. */
async function listings(work: () => Promise<void>): Promise<number> {
  let asked = 0;
  const count = (message: unknown): void => {
    if ((message as MasterTrace).request === 'READDIR') asked++;
  };
  subscribe('tracing:moosefs.master:start', count);
  try {
    await work();
  } finally {
    unsubscribe('tracing:moosefs.master:start', count);
  }
  return asked;
}

const heapBytes = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

test('readdir gives every name once', { timeout: 300_000 }, async () => {
  const names = await mfs.readdir(folder);
  expect(names).toHaveLength(ENTRIES);
  const found = new Set(names);
  for (let i = 0; i < ENTRIES; i++) if (!found.has(nameOf(i))) throw new Error(`${nameOf(i)} is missing`);
});

test('opendir gives every entry once', { timeout: 300_000 }, async () => {
  const found = new Set<string>();
  const before = heapBytes();
  let most = 0;
  let at = 0;
  for await (const entry of await mfs.opendir(folder)) {
    expect(entry.isSymbolicLink()).toBe(true);
    found.add(entry.name);
    if (++at % 5000 === 0) most = Math.max(most, heapBytes() - before);
  }
  expect(found.size).toBe(ENTRIES);
  process.stderr.write(
    `opendir of ${ENTRIES} entries, MooseFS ${sharedCluster().version}: heap at most ${Math.round(most / 1024 / 1024)} MiB more` +
      `${globalThis.gc === undefined ? ' (garbage included)' : ''}, names kept by the test among it\n`,
  );
});

describe.skipIf(!sharedCluster().version.startsWith('4.5'))('[4.x] in pages', () => {
  test('a folder is asked for piece by piece, and no further than it is read', { timeout: 300_000 }, async () => {
    const all = await listings(async () => {
      for await (const entry of await mfs.opendir(folder)) expect(entry.name).not.toBe('');
    });
    expect(all).toBeGreaterThanOrEqual(Math.floor(ENTRIES / 2048));
    const some = await listings(async () => {
      await using dir = await mfs.opendir(folder);
      for (let i = 0; i < 10; i++) expect(await dir.read()).not.toBeNull();
    });
    expect(some).toBe(1);
  });

  test('what is removed while it is read does not hide what is not', { timeout: 300_000 }, async () => {
    const copy = await mfs.mkdtemp('/large-moving-');
    const names = Array.from({ length: 5000 }, (_, i) => nameOf(i));
    await Promise.all(names.map((name) => mfs.symlink('x', `${copy}/${name}`)));
    const seen: string[] = [];
    for await (const entry of await mfs.opendir(copy)) {
      seen.push(entry.name);
      await mfs.unlink(`${copy}/${entry.name}`);
    }
    expect([...seen].sort()).toEqual(names);
    await mfs.rmdir(copy);
  });
});
