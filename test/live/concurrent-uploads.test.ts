/**
 * The proof of the main job: 200 uploads at the same time, and then every replica of each by itself against what was written. The
 * client that this package replaces failed here: it finished writing before all servers had answered, and replicas lost their tails.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { compareAll, uploadAll } from '../support/uploads.ts';

const FILES = 200;
const COPIES = 3;

let mfs: MooseFS;
let folder: string;
beforeAll(async () => {
  mfs = await connectShared();
  folder = await makeFolder(mfs, 'uploads', COPIES);
});
afterAll(() => mfs.close());

test(
  `${FILES} concurrent uploads, ${COPIES} copies each: every replica equals what was written`,
  {
    timeout: 600_000,
  },
  async () => {
    const { bytes, seconds } = await uploadAll(mfs, folder, FILES);
    const { compared, differences } = await compareAll(mfs, folder, FILES);
    process.stdout.write(
      `${FILES} concurrent uploads, ${Math.round(bytes / 1e6)} MB, ${COPIES} copies, on MooseFS ${mfs.serverVersion}, ` +
        `${seconds.toFixed(1)} s: ${differences.length} differences of ${compared} replicas compared by md5\n`,
    );
    expect(differences).toEqual([]);
    expect(compared).toBe(FILES * COPIES);
    expect(mfs.resources).toMatchObject({ openFiles: 0, activeChunks: 0, waitingCalls: 0 });
  },
);
