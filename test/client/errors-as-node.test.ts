/** Every call that fails fails as node's own does: the same message, code, errno, syscall, path and dest, and nothing more to see. */
import { mkdtemp, rm } from 'node:fs/promises';
import * as nodeFs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MooseFSError, StatusError } from '../../src/index.ts';
import type { MooseFS } from '../../src/index.ts';
import { asAnyFs, badCalls, makeThings, shapeOf } from '../support/bad-calls.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

let cluster: FakeCluster;
let mfs: MooseFS;
let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), 'moosefs-errors-'));
  cluster = await FakeCluster.start({ servers: 1 });
  mfs = await cluster.connect();
  await mfs.mkdir('/at');
  await makeThings(nodeFs, here);
  await makeThings(asAnyFs(mfs), '/at');
});
afterAll(async () => {
  await mfs.close();
  await cluster[Symbol.asyncDispose]();
  await rm(here, { recursive: true });
});

/**
 * Packets that change what is there: a call that can be seen to be wrong must not reach the master as one of these. CREATE is none of
 * them, it refuses what exists.
 */
const CHANGES = ['RENAME', 'LINK', 'SYMLINK', 'MKDIR', 'SETATTR', 'TRUNCATE', 'MKNOD', 'RMDIR'];

/** Whether a folder is empty only the master can say. */
const MASTERS_WORD: Record<string, string> = {
  'rename of a folder onto a full one': 'RENAME',
  'rmdir of a full folder': 'RMDIR',
};

describe('an error as node gives it', () => {
  it.each(badCalls)('%s', async (name, call) => {
    const wanted = await shapeOf(call(nodeFs, here), here);
    expect(wanted).toBeDefined();
    const before = cluster.timeline.entries.length;
    const found = await shapeOf(call(asAnyFs(mfs), '/at'), '/at');
    expect(found).toEqual(wanted);
    expect(Object.keys(found!.own)).toEqual(Object.keys(wanted!.own));
    const sent = cluster.timeline.entries.slice(before).filter(({ kind }) => kind === 'received');
    const changes = sent.filter((packet) => CHANGES.includes(packet.name));
    expect(changes.map((packet) => packet.name)).toEqual(name in MASTERS_WORD ? [MASTERS_WORD[name]] : []);
    expect(cluster.violations).toEqual([]);
    expect(mfs.resources).toMatchObject({ openFiles: 0, waitingCalls: 0, activeChunks: 0 });
  });
});

it('has the cause and whether waiting may help beside that, unseen', async () => {
  const error = await mfs.rmdir('/at/full').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MooseFSError);
  expect(error).toMatchObject({ code: 'ENOTEMPTY', retryable: false, cause: { status: 7 } });
  expect((error as MooseFSError).cause).toBeInstanceOf(StatusError);
  expect(Object.keys(error as MooseFSError)).not.toContain('retryable');
});
