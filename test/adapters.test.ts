/** The adapters' hosts are optional: whoever imports the client gets none of them. */
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { safeName } from '../src/adapters/names.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
/** Prints every file that importing this one loads. */
const loadedBy = (file: string): string[] => {
  const hooks = `export async function load(url, context, next) { console.log('loads ' + url); return next(url, context); }`;
  const program = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    await import(${JSON.stringify(file)});
    setTimeout(() => process.exit(), 200);`;
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  });
  return [...printed.matchAll(/loads (.*)/g)].map(([, url]) => url!);
};
const HOST = /node_modules\/(@tus|multer|@flystorage|busboy|express)\//;

describe('packages', () => {
  it('import of the client pulls in no host; that of an adapter does', () => {
    const client = loadedBy('./src/index.ts');
    expect(client.length).toBeGreaterThan(20);
    expect(client.filter((url) => HOST.test(url))).toEqual([]);
    expect(loadedBy('./src/adapters/tus.ts').some((url) => HOST.test(url))).toBe(true);
  }, 60_000);
  it('every host is an optional peer, and every adapter an export', () => {
    const described = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
    const peers = Object.keys(described.peerDependencies as object);
    expect(peers.sort()).toEqual(['@flystorage/file-storage', '@tus/server', 'multer']);
    for (const peer of peers) {
      expect(described.peerDependenciesMeta[peer]).toEqual({ optional: true });
      expect(described.dependencies[peer]).toBeUndefined();
    }
    for (const adapter of ['tus', 'multer', 'flystorage'])
      expect(described.exports[`./${adapter}`]).toEqual({
        types: `./dist/adapters/${adapter}.d.ts`,
        default: `./dist/adapters/${adapter}.js`,
      });
  });
});

describe('safeName', () => {
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['..', 'file'],
    ['', 'file'],
    ['C:\\x\\photo 1.png', 'photo 1.png'],
    ['.hidden', 'hidden'],
    ['a\0b\nc', 'a_b_c'],
    ['\u202Egpj.exe', '_gpj.exe'],
    ['Ünï.pdf', 'Ünï.pdf'],
  ])('%j is %j', (name, safe) => expect(safeName(name)).toBe(safe));
  it('is short in bytes, whole in characters, and keeps the ending', () => {
    const name = safeName(`${'🦌'.repeat(100)}.jpeg`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name).toMatch(/^(🦌)+\.jpeg$/u);
    expect(safeName(name)).toBe(name);
  });
});
