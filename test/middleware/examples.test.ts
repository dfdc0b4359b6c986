/** Every example runs as its first lines say, as a process of its own, and does what it promises. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder, sharedCluster } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let mfs: MooseFS;
let local: string;
beforeAll(async () => {
  mfs = await connectShared();
  local = await mkdtemp(join(tmpdir(), 'examples-'));
});
afterAll(async () => {
  await mfs.close();
  await rm(local, { recursive: true });
});

/** Runs an example on the shared cluster; gives what it printed. */
async function run(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join('examples', `${name}.ts`), ...args],
    { cwd: root, timeout: 330_000, env: { ...process.env, MFS_MASTER: sharedCluster().master } },
  );
  return stdout;
}

test('quick-start', async () => {
  const printed = await run('quick-start');
  expect(printed).toContain('a photo of an elk');
  expect(printed).toContain(`film.bin: ${160 * 65_536} bytes`);
  expect(printed).toContain('all replicas agree');
});

describe('resumable-upload', () => {
  test('breaks off and goes on where it was', async () => {
    const printed = await run('resumable-upload');
    expect(printed).toContain('broken off');
    const [, from] = /went on at byte (\d+)/.exec(printed) ?? [];
    expect(Number(from)).toBeGreaterThanOrEqual(16 * 1024 * 1024);
    expect(printed).toMatch(/all 2 replicas are [0-9a-f]{32}/);
  });
  test('uploads the file that is named', async () => {
    const folder = await makeFolder(mfs, 'resumable', 2);
    const data = pattern(3_000_001, 1);
    await writeFile(join(local, 'film'), data);
    expect(await run('resumable-upload', join(local, 'film'), `${folder}/film`)).toContain('3000001 bytes, 0 of them');
    await expectReplicas(mfs, `${folder}/film`, md5(data), 2);
    expect(await mfs.readdir(folder)).toEqual(['film']);
  });
});

test('folder-sync: what is new, changed and gone, and nothing else', async () => {
  const folder = await makeFolder(mfs, 'sync', 2);
  const source = join(local, 'tree');
  await mkdir(join(source, 'a/b'), { recursive: true });
  for (let i = 0; i < 40; i++)
    await writeFile(join(source, i % 2 === 0 ? 'a' : 'a/b', `${i}.bin`), pattern(1000 + i, i));
  expect(await run('folder-sync', source, folder)).toBe('40 uploaded, 0 removed, 0 unchanged\n');
  await writeFile(join(source, 'a/0.bin'), pattern(5000, 77));
  await utimes(join(source, 'a/2.bin'), 1_700_000_000, 1_700_000_000);
  await rm(join(source, 'a/b/1.bin'));
  await writeFile(join(source, 'new.bin'), pattern(10, 78));
  expect(await run('folder-sync', source, folder)).toBe('3 uploaded, 1 removed, 37 unchanged\n');
  await expectReplicas(mfs, `${folder}/a/0.bin`, md5(pattern(5000, 77)), 2);
  await expectReplicas(mfs, `${folder}/a/b/39.bin`, md5(pattern(1039, 39)), 2);
  expect(await mfs.exists(`${folder}/a/b/1.bin`)).toBe(false);
});

test('verify-tree: a report of every replica, as JSON and HTML', async () => {
  const folder = await makeFolder(mfs, 'tree', 2);
  await mfs.mkdir(`${folder}/below`);
  const names = ['one', 'below/two', '<b>&.txt'];
  for (const [i, name] of names.entries()) await mfs.writeFile(`${folder}/${name}`, pattern(100_000, i));
  const report = join(local, 'report');
  expect(await run('verify-tree', folder, report)).toContain('3 files, all replicas agree');
  const { ok, files } = JSON.parse(await readFile(`${report}.json`, 'utf8'));
  expect(ok).toBe(true);
  expect(files).toHaveLength(names.length);
  for (const [i, name] of names.entries())
    expect(files).toContainEqual(
      expect.objectContaining({
        path: `${folder}/${name}`,
        digests: [md5(pattern(100_000, i)), md5(pattern(100_000, i))],
      }),
    );
  const page = await readFile(`${report}.html`, 'utf8');
  expect(page.match(/<td class="good">/g)).toHaveLength(names.length * 2);
  expect(page).toContain('&lt;b&gt;&amp;.txt');
  expect(page).not.toContain('<b>');
});

test('watch-replication: two copies become three', { timeout: 400_000 }, async () => {
  const printed = await run('watch-replication');
  expect(printed).toContain('acknowledged by 2 and 2 replicas');
  expect(printed).toContain('2 of 2 chunks have 3 copies, one has 3');
  expect(printed).toContain('all copies are equal');
});

test('kubernetes: the manifests name what the service reads and serves, and the image has what it runs', async () => {
  const read = (path: string) => readFile(join(root, path), 'utf8');
  const manifests = await read('examples/kubernetes/upload-service.yaml');
  const [main, service] = await Promise.all([
    read('examples/upload-service/main.ts'),
    read('examples/upload-service/service.ts'),
  ]);
  const settings = [...manifests.matchAll(/^ {2}([A-Z_]+): |\{ name: ([A-Z_]+), value/gm)].map(([, a, b]) => a ?? b!);
  expect(settings.sort()).toEqual(['COPIES', 'DIRECTORY', 'HOST', 'MAX_BYTES', 'MFS_MASTER', 'PORT']);
  for (const setting of settings) expect(main).toMatch(new RegExp(`\\b${setting}\\b.*= process.env`));
  const paths = [...manifests.matchAll(/httpGet: \{ path: (\S+),/g)].map(([, path]) => path!);
  expect(paths).toEqual(['/health', '/metrics']);
  for (const path of paths) expect(service).toContain(`app.get('${path}'`);
  const dockerfile = await read('examples/kubernetes/Dockerfile');
  const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, names]) => names!.split(' '));
  expect(copied).toContain('src');
  for (const name of copied) await expect(access(join(root, name)), name).resolves.toBeUndefined();
  expect(dockerfile).toContain('"examples/upload-service/main.ts"]');
});
