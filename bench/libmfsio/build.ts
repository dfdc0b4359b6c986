/** Compiles bench/libmfsio/client.c against the libmfsio of the servers' version. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('client.c', import.meta.url));

/** How the compiled program is run. */
export interface LibmfsioClient {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The compiled program, or why there is none. */
export async function buildLibmfsioClient(version: string): Promise<LibmfsioClient | string> {
  const root = packageRoot(version);
  const header = join(root, 'usr/include/mfsio.h');
  const library = find(join(root, 'usr/lib'), 'libmfsio.so.1');
  if (!existsSync(header) || library === undefined) {
    return `libmfsio: there is no libmfsio-dev of ${version} in ${root}: sh bench/libmfsio/prepare.sh SUITE fetches it`;
  }
  const folder = await mkdtemp(join(process.env['MFS_TEST_FOLDER'] ?? tmpdir(), 'moosefs-libmfsio-'));
  const program = join(folder, 'client');
  const hasDefaults = /\bmfs_set_defaults\b/.test(await readFile(header, 'utf8'));
  const defines = ['-D_FILE_OFFSET_BITS=64', ...(hasDefaults ? ['-DMFSIO_DEFAULTS'] : [])];
  // the library may be of a newer Debian than this machine: its own needs are met when it is run
  const linking = ['-pthread', '-Wl,--allow-shlib-undefined', '-o', program, source, library];
  try {
    await run('gcc', ['-O2', ...defines, `-I${dirname(header)}`, ...linking]);
  } catch (error) {
    return `libmfsio: ${(error as Error).message}`;
  }
  return runner(program, dirname(library));
}

/** Where bench/libmfsio/prepare.sh puts the packages, or the system's own where they are installed. */
function packageRoot(version: string): string {
  const cache =
    process.env['MFS_BENCH_LIBMFSIO'] ??
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'moosefs-client/libmfsio');
  return join(cache, version);
}

/**
 * Servers that run from a root of another Debian ($MFS_TEST_PROGRAMS is a folder in it) lend their loader and libraries;
 * else the machine's own are taken.
 */
function runner(program: string, libraryFolder: string): LibmfsioClient {
  const root = dirname(process.env['MFS_TEST_PROGRAMS'] ?? '/usr/sbin');
  const libraries = existsSync(join(root, 'lib')) ? find(join(root, 'lib'), 'libc.so.6') : undefined;
  const loader = libraries === undefined ? undefined : findLoader(dirname(libraries));
  if (root === '/usr' || loader === undefined) return { command: [program], env: { LD_LIBRARY_PATH: libraryFolder } };
  const folder = dirname(loader);
  const path = [libraryFolder, folder, join(root, 'usr/lib', folder.slice(folder.lastIndexOf('/') + 1))].join(':');
  return { command: [loader, '--library-path', path, program], env: {} };
}

function find(folder: string, name: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const places = [folder, ...readdirSync(folder).map((entry) => join(folder, entry))];
  return places.map((place) => join(place, name)).find((path) => existsSync(path));
}

function findLoader(folder: string): string | undefined {
  const name = readdirSync(folder).find((entry) => /^ld-linux.*\.so\.\d$/.test(entry));
  return name === undefined ? undefined : join(folder, name);
}
