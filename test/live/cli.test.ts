/** The command mfs on real servers: in this process, and as a process of its own where it is about pipes and signals. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChunkserverControl } from '../support/live.ts';
import { connectShared, makeFolder, sharedCluster, startCluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { execMfs, runMfs, spawnMfs } from '../support/run-mfs.ts';

const { master } = sharedCluster();
/** A folder of this machine, and one of the file system whose files have three copies. */
let here: string;
let there: string;

const mfs = (...words: string[]) => runMfs(words, { master });
const local = (name: string) => join(here, name);
const lines = (text: string) => text.split('\n').slice(0, -1);
const json = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);
const done = { status: 0, stderr: '' };

beforeAll(async () => {
  here = mkdtempSync(join(tmpdir(), 'mfs-cli-live-'));
  await using client = await connectShared();
  there = await makeFolder(client, 'cli', 3);
});
afterAll(() => rmSync(here, { recursive: true }));

describe('files there and back', () => {
  // A chunk and a bit: two chunks.
  const big = pattern(67 * 1024 * 1024 + 5, 1);

  beforeAll(() => {
    writeFileSync(local('big'), big);
    writeFileSync(local('small'), 'small\n');
    writeFileSync(local('empty'), '');
  });

  test('put, ls, stat, cat and get of several files', async () => {
    expect(
      await mfs('put', '--verify', '--jobs', '2', local('big'), local('small'), local('empty'), there),
    ).toMatchObject({
      ...done,
      stdout: '',
    });
    expect((await mfs('ls', there)).stdout).toBe('big\nempty\nsmall\n');
    const list = (await mfs('ls', '-l', there)).stdout;
    expect(list).toMatch(/^-rw\S+ 1 \d+ \d+ 70254597 \w{3} [ \d]\d \d\d:\d\d big$/m);
    expect((await mfs('stat', `${there}/big`)).stdout).toMatch(/^ {2}Size: 70254597 {2}Type: regular file$/m);
    expect(json((await mfs('stat', '--json', `${there}/big`)).stdout)).toMatchObject([
      { size: big.length, type: 'file' },
    ]);
    expect(json((await mfs('ls', '--json', there)).stdout).map(({ path, size }) => [path, size])).toEqual([
      [`${there}/big`, big.length],
      [`${there}/empty`, 0],
      [`${there}/small`, 6],
    ]);
    expect((await mfs('cat', `${there}/small`, `${there}/empty`, `${there}/small`)).stdout).toBe('small\nsmall\n');
    expect(await mfs('get', `${there}/big`, local('big.back'))).toMatchObject(done);
    expect(readFileSync(local('big.back')).equals(big)).toBe(true);
  });

  test('put - and get … - of two chunks', async () => {
    const put = await execMfs(['put', '--json', '-', `${there}/stdin`], { master, stdin: big });
    expect(put).toMatchObject(done);
    const [{ replication, ...rest }] = json(put.stdout) as [{ replication: { servers: string[] }[] }];
    expect(rest).toEqual({ path: `${there}/stdin`, bytes: big.length });
    expect(replication.map(({ servers }) => servers.length)).toEqual([3, 3]);
    const { bytes, status } = await mfs('get', `${there}/stdin`, '-');
    expect(status).toBe(0);
    expect(bytes.equals(big)).toBe(true);
  });

  test('chunks and verify show every replica', async () => {
    const found = json((await mfs('chunks', '--json', `${there}/big`)).stdout) as {
      chunk: number;
      id: string;
      length: number;
      replicas: { host: string; port: number; state: string }[];
    }[];
    expect(found.map(({ chunk, length }) => [chunk, length])).toEqual([
      [0, 67_108_864],
      [1, big.length - 67_108_864],
    ]);
    const servers = sharedCluster()
      .chunkservers.map(({ host, port }) => `${host}:${port}`)
      .sort();
    for (const { replicas, id } of found) {
      expect(replicas.map(({ host, port }) => `${host}:${port}`).sort()).toEqual(servers);
      expect(replicas.every(({ state }) => state === 'valid')).toBe(true);
      expect((await mfs('chunks', `${there}/big`)).stdout).toContain(id);
    }
    const md5 = createHash('md5').update(big).digest('hex');
    const sha256 = createHash('sha256').update(big).digest('hex');
    const table = await mfs('verify', '--method', 'md5', `${there}/big`);
    expect(table).toMatchObject(done);
    expect(table.stdout.split(md5)).toHaveLength(1 + 3);
    expect(lines(table.stdout).at(-1)).toBe('1 file, 2 chunks, 6 replicas: all equal');
    const [report] = json((await mfs('verify', '--method', 'sha256', '--json', `${there}/big`)).stdout);
    expect(report).toMatchObject({ ok: true, method: 'sha256', digests: [sha256, sha256, sha256] });
    expect(await mfs('verify', '-r', there)).toMatchObject(done);
  });

  test('ends quietly when the reader does', async () => {
    const child = spawnMfs(['cat', `${there}/big`], { master });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [[status], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
    expect({ status: status as number, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('a folder with all that is in it, moved, copied and removed', async () => {
    mkdirSync(local('tree/sub'), { recursive: true });
    for (let i = 0; i < 20; i++) writeFileSync(local(`tree/sub/file ${i} ä\n`), pattern(i * 1000, i));
    symlinkSync('sub', local('tree/link'));
    const at = `${there}/trees`;
    expect(await mfs('mkdir', '-p', `${at}/a/b`)).toMatchObject(done);
    expect(await mfs('put', '-r', local('tree'), at)).toMatchObject(done);
    expect(await mfs('cp', '-r', `${at}/tree`, `${at}/copy`)).toMatchObject(done);
    expect(await mfs('mv', `${at}/copy`, `${at}/a`)).toMatchObject(done);
    expect(await mfs('get', '-r', `${at}/a/copy`, local('tree.back'))).toMatchObject(done);
    const names = readdirSync(local('tree/sub'));
    expect(readdirSync(local('tree.back/sub'))).toEqual(names);
    for (const name of names)
      expect(readFileSync(join(local('tree.back/sub'), name))).toEqual(readFileSync(join(local('tree/sub'), name)));
    expect(lines((await mfs('ls', '-l', `${at}/tree`)).stdout)[1]).toMatch(/^lrwxrwxrwx .* link -> sub$/);
    expect(await mfs('rm', `${at}/tree`)).toMatchObject({ status: 1 });
    expect(await mfs('rm', '-r', at)).toMatchObject(done);
    expect(await mfs('ls', at)).toMatchObject({
      status: 1,
      stderr: `mfs: ls: ${at}: ENOENT: no such file or directory\n`,
    });
    expect(await mfs('rm', '-f', at)).toMatchObject(done);
  });

  test('df', async () => {
    const [{ total, available }] = json((await mfs('df', '--json')).stdout) as [{ total: number; available: number }];
    expect(total).toBeGreaterThan(available);
    expect((await mfs('df', '-h')).stdout).toMatch(/^Filesystem +Size +Used +Available +Use%\nmfs:\/\/\S+ /);
  });

  test('a file that is replaced keeps its permission bits and its class', async () => {
    const path = `${there}/kept`;
    await using client = await connectShared();
    await client.writeFile(path, 'before');
    await client.chmod(path, 0o640);
    const other = client.serverVersion.startsWith('3.') ? '1' : '2CP';
    await client.storageClass.set(path, other);
    expect(await mfs('put', local('small'), path)).toMatchObject(done);
    expect((await client.stat(path)).mode & 0o777).toBe(0o640);
    expect(await client.storageClass.get(path)).toBe(other);
    expect(await mfs('put', '--storage-class', other, local('small'), `${there}/classed`)).toMatchObject(done);
    expect(await client.storageClass.get(`${there}/classed`)).toBe(other);
    expect(await mfs('put', '--storage-class', 'no such class', local('small'), `${there}/unclassed`)).toMatchObject({
      status: 1,
    });
    expect(await client.exists(`${there}/unclassed`)).toBe(false);
  });
});

describe('exit statuses', () => {
  test('1: one line that names what failed, 2: wrong usage', async () => {
    expect(await mfs('put', local('nothing'), there)).toMatchObject({
      status: 1,
      stderr: `mfs: put: ${local('nothing')}: ENOENT: no such file or directory\n`,
    });
    expect(await mfs('put', local('small'), `${there}/no/such/folder`)).toMatchObject({
      status: 1,
      stderr: `mfs: put: ${there}/no/such/folder: ENOENT: no such file or directory\n`,
    });
    expect(await mfs('cat', there)).toMatchObject({ status: 1, stderr: expect.stringContaining('EISDIR') });
    expect(await mfs('put', 'small')).toMatchObject({ status: 2, stdout: '' });
    expect(await mfs('frobnicate')).toMatchObject({ status: 2, stdout: '' });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'interrupted by %s: what was there before stays, nothing else does',
    async (signal) => {
      const path = `${there}/interrupted-${randomUUID()}`;
      writeFileSync(local('before'), 'before');
      expect(await mfs('put', local('before'), path)).toMatchObject(done);
      const before = (await mfs('ls', there)).stdout;
      // Standard input is never ended: the command waits for more.
      const child = spawnMfs(['put', '-', path], { master });
      child.stdin.on('error', () => undefined);
      child.stdin.write(pattern(1_000_000, 3));
      await expect.poll(async () => (await mfs('ls', there)).stdout, { timeout: 30_000 }).toContain('.mfs-put-');
      child.kill(signal);
      const [[status], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
      expect({ status: status as number, stderr }).toEqual({
        status: signal === 'SIGINT' ? 130 : 143,
        stderr: 'mfs: put: interrupted\n',
      });
      expect((await mfs('ls', there)).stdout).toBe(before);
      expect((await mfs('cat', path)).stdout).toBe('before');
    },
  );
});

describe.skipIf(sharedCluster().provider !== 'programs' && sharedCluster().provider !== 'packages')(
  'a damaged replica [programs]',
  () => {
    const data = pattern(200_000, 9);

    /** Overwrites bytes in the middle of a chunk's first block on a chunkserver's disk. */
    async function damage(server: ChunkserverControl, id: string): Promise<void> {
      const folder = server.folders[0]!;
      const name = (readdirSync(folder, { recursive: true }) as string[]).find((each) => each.includes(id));
      const file = await open(join(folder, name!), 'r+');
      try {
        const content = await file.readFile();
        // Where the data begins depends on the version; the bytes themselves tell.
        const at = content.indexOf(data.subarray(1000, 1100));
        expect(at).toBeGreaterThan(0);
        await file.write(Buffer.from('damaged'), 0, 7, at);
      } finally {
        await file.close();
      }
    }

    test('is found by verify --method md5: exit status 3, and reads go on with the others', async () => {
      await using cluster = await startCluster({ chunkservers: 2 });
      const own = (words: string[], stdin: Uint8Array[] = []) => runMfs(words, { master: cluster.master, stdin });
      const copies = cluster.version.startsWith('3.') ? '2' : '2CP';
      expect(await own(['put', '--storage-class', copies, '--verify', '-', '/f'], [data])).toMatchObject(done);
      const [{ id }] = json((await own(['chunks', '--json', '/f'])).stdout) as [{ id: string }];
      expect(await own(['verify', '--method', 'md5', '/f'])).toMatchObject({ status: 0 });
      const [bad] = cluster.chunkservers;
      await damage(bad!, id);
      const { status, stdout } = await own(['verify', '--method', 'md5', '/f']);
      expect(status).toBe(3);
      const rows = lines(stdout);
      expect(rows.find((row) => row.includes(`${bad!.host}:${bad!.port}`))).toContain('NO: ');
      expect(rows.at(-1)).toBe('1 file, 1 chunk, 2 replicas: 1 file NOT OK');
      expect((await own(['cat', '/f'])).bytes.equals(data)).toBe(true);
    });
  },
);
