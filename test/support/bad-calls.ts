/**
 * Calls that must fail, with what they fail on: for node's own fs on a folder of this machine and for a client on a MooseFS, so
 * that one can be held against the other.
 */
import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import type * as nodeFs from 'node:fs/promises';
import type { FileHandle, MooseFS } from '../../src/index.ts';

/** What both have. */
export type AnyFs = Pick<
  typeof nodeFs,
  | 'access'
  | 'appendFile'
  | 'chmod'
  | 'chown'
  | 'copyFile'
  | 'lchown'
  | 'link'
  | 'lstat'
  | 'lutimes'
  | 'mkdir'
  | 'readdir'
  | 'readFile'
  | 'readlink'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'symlink'
  | 'truncate'
  | 'unlink'
  | 'utimes'
  | 'writeFile'
> & { open(path: string, flags?: string | number, mode?: number): Promise<NodeFileHandle> };

/** A client, as the table sees it: that the types agree is not what is tested here. */
export const asAnyFs = (mfs: MooseFS): AnyFs => mfs as unknown as AnyFs;

const LONG = 'x'.repeat(256);

/** Makes what the calls fail on, below `at`. */
export async function makeThings(fs: AnyFs, at: string): Promise<void> {
  await fs.mkdir(`${at}/full`);
  await fs.writeFile(`${at}/full/inside`, 'inside');
  await fs.mkdir(`${at}/full/sub`);
  await fs.mkdir(`${at}/empty`);
  await fs.writeFile(`${at}/file`, 'content');
  await fs.link(`${at}/file`, `${at}/second-name`);
  await fs.writeFile(`${at}/other`, 'other');
  await fs.symlink('file', `${at}/symlink`);
  await fs.symlink('empty', `${at}/folder-symlink`);
  await fs.symlink('nothing', `${at}/dangling`);
  await fs.symlink('loop-b', `${at}/loop-a`);
  await fs.symlink('loop-a', `${at}/loop-b`);
}

async function withHandle(fs: AnyFs, path: string, flags: string, use: (handle: NodeFileHandle) => Promise<unknown>) {
  const handle = await fs.open(path, flags);
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}

type BadCall = readonly [name: string, call: (fs: AnyFs, at: string) => Promise<unknown>];

/** Each must be refused; with the same error by both. */
export const badCalls: readonly BadCall[] = [
  ['readFile of nothing', (fs, at) => fs.readFile(`${at}/nothing`)],
  ['readFile below nothing', (fs, at) => fs.readFile(`${at}/nothing/file`)],
  ['readFile below a file', (fs, at) => fs.readFile(`${at}/file/x`)],
  ['readFile of a file with a slash', (fs, at) => fs.readFile(`${at}/file/`)],
  ['readFile of a folder', (fs, at) => fs.readFile(`${at}/full`)],
  ['readFile of a dangling symlink', (fs, at) => fs.readFile(`${at}/dangling`)],
  ['readFile of a loop', (fs, at) => fs.readFile(`${at}/loop-a`)],
  ['readFile below a loop', (fs, at) => fs.readFile(`${at}/loop-a/x`)],
  ['readFile of a long name', (fs, at) => fs.readFile(`${at}/${LONG}`)],
  ['readFile below a long name', (fs, at) => fs.readFile(`${at}/${LONG}/x`)],
  ['readFile of an empty path', (fs) => fs.readFile('')],
  ['writeFile below nothing', (fs, at) => fs.writeFile(`${at}/nothing/file`, 'x')],
  ['writeFile below a file', (fs, at) => fs.writeFile(`${at}/file/x`, 'x')],
  ['writeFile of a folder', (fs, at) => fs.writeFile(`${at}/full`, 'x')],
  ['writeFile of a new name with a slash', (fs, at) => fs.writeFile(`${at}/new/`, 'x')],
  ['writeFile of a long name', (fs, at) => fs.writeFile(`${at}/${LONG}`, 'x')],
  ['writeFile of a loop', (fs, at) => fs.writeFile(`${at}/loop-b`, 'x')],
  ['writeFile wx of a file', (fs, at) => fs.writeFile(`${at}/file`, 'x', { flag: 'wx' })],
  ['writeFile wx of a symlink', (fs, at) => fs.writeFile(`${at}/symlink`, 'x', { flag: 'wx' })],
  ['writeFile wx of a dangling symlink', (fs, at) => fs.writeFile(`${at}/dangling`, 'x', { flag: 'wx' })],
  ['appendFile of a folder', (fs, at) => fs.appendFile(`${at}/full`, 'x')],
  ['appendFile below nothing', (fs, at) => fs.appendFile(`${at}/nothing/x`, 'x')],
  ['open r+ of nothing', (fs, at) => fs.open(`${at}/nothing`, 'r+')],
  ['open r+ of a folder', (fs, at) => fs.open(`${at}/full`, 'r+')],
  ['reading a handle of a folder', (fs, at) => withHandle(fs, `${at}/full`, 'r', (handle) => handle.read())],
  ['reading a handle opened for writing', (fs, at) => withHandle(fs, `${at}/other`, 'w', (handle) => handle.read())],
  [
    'writing a handle opened for reading',
    (fs, at) => withHandle(fs, `${at}/other`, 'r', (handle) => handle.write('x')),
  ],
  [
    'cutting a handle opened for reading',
    (fs, at) => withHandle(fs, `${at}/other`, 'r', (handle) => handle.truncate(1)),
  ],
  ['stat of nothing', (fs, at) => fs.stat(`${at}/nothing`)],
  ['stat of a dangling symlink', (fs, at) => fs.stat(`${at}/dangling`)],
  ['stat of a loop', (fs, at) => fs.stat(`${at}/loop-a`)],
  ['stat of a file with a slash', (fs, at) => fs.stat(`${at}/file/`)],
  ['lstat of nothing', (fs, at) => fs.lstat(`${at}/nothing`)],
  ['lstat below a file', (fs, at) => fs.lstat(`${at}/file/x`)],
  ['lstat of a symlink to a file with a slash', (fs, at) => fs.lstat(`${at}/symlink/`)],
  ['access of nothing', (fs, at) => fs.access(`${at}/nothing`)],
  ['readdir of nothing', (fs, at) => fs.readdir(`${at}/nothing`)],
  ['readdir of a file', (fs, at) => fs.readdir(`${at}/file`)],
  ['readdir of a dangling symlink', (fs, at) => fs.readdir(`${at}/dangling`)],
  ['mkdir of a folder', (fs, at) => fs.mkdir(`${at}/full`)],
  ['mkdir of a folder with a slash', (fs, at) => fs.mkdir(`${at}/full/`)],
  ['mkdir of a file', (fs, at) => fs.mkdir(`${at}/file`)],
  ['mkdir of a dangling symlink', (fs, at) => fs.mkdir(`${at}/dangling`)],
  ['mkdir below nothing', (fs, at) => fs.mkdir(`${at}/nothing/x`)],
  ['mkdir below a file', (fs, at) => fs.mkdir(`${at}/file/x`)],
  ['mkdir of a long name', (fs, at) => fs.mkdir(`${at}/${LONG}`)],
  ['mkdir of the root', (fs) => fs.mkdir('/')],
  ['recursive mkdir of a file', (fs, at) => fs.mkdir(`${at}/file`, { recursive: true })],
  ['recursive mkdir below a file', (fs, at) => fs.mkdir(`${at}/file/a/b`, { recursive: true })],
  ['rmdir of nothing', (fs, at) => fs.rmdir(`${at}/nothing`)],
  ['rmdir of a file', (fs, at) => fs.rmdir(`${at}/file`)],
  ['rmdir of a full folder', (fs, at) => fs.rmdir(`${at}/full`)],
  ['rmdir of a symlink to a folder', (fs, at) => fs.rmdir(`${at}/folder-symlink`)],
  ['rmdir of "."', (fs, at) => fs.rmdir(`${at}/empty/.`)],
  ['rmdir of ".."', (fs, at) => fs.rmdir(`${at}/full/sub/..`)],
  ['unlink of nothing', (fs, at) => fs.unlink(`${at}/nothing`)],
  ['unlink of a folder', (fs, at) => fs.unlink(`${at}/empty`)],
  ['unlink of a file with a slash', (fs, at) => fs.unlink(`${at}/file/`)],
  ['unlink of a long name', (fs, at) => fs.unlink(`${at}/${LONG}`)],
  ['rm of nothing', (fs, at) => fs.rm(`${at}/nothing`)],
  ['rm of a folder', (fs, at) => fs.rm(`${at}/empty`)],
  ['rename of nothing', (fs, at) => fs.rename(`${at}/nothing`, `${at}/new`)],
  ['rename to below nothing', (fs, at) => fs.rename(`${at}/file`, `${at}/nothing/new`)],
  ['rename of a folder onto a file', (fs, at) => fs.rename(`${at}/empty`, `${at}/file`)],
  ['rename of a file onto a folder', (fs, at) => fs.rename(`${at}/file`, `${at}/empty`)],
  ['rename of a file onto a full folder', (fs, at) => fs.rename(`${at}/file`, `${at}/full`)],
  ['rename of a folder onto a full one', (fs, at) => fs.rename(`${at}/empty`, `${at}/full`)],
  ['rename of a folder into itself', (fs, at) => fs.rename(`${at}/full`, `${at}/full/x`)],
  ['rename of a folder deep into itself', (fs, at) => fs.rename(`${at}/full`, `${at}/full/sub/x`)],
  ['rename of a folder onto its own folder', (fs, at) => fs.rename(`${at}/full/sub`, `${at}/full`)],
  ['rename of a file to a name with a slash', (fs, at) => fs.rename(`${at}/file`, `${at}/new/`)],
  ['rename of a file with a slash', (fs, at) => fs.rename(`${at}/file/`, `${at}/new`)],
  ['rename to a long name', (fs, at) => fs.rename(`${at}/file`, `${at}/${LONG}`)],
  ['rename of a symlink onto a folder', (fs, at) => fs.rename(`${at}/symlink`, `${at}/empty`)],
  ['rename of "."', (fs, at) => fs.rename(`${at}/empty/.`, `${at}/new`)],
  ['link of nothing', (fs, at) => fs.link(`${at}/nothing`, `${at}/new`)],
  ['link of a folder', (fs, at) => fs.link(`${at}/full`, `${at}/new`)],
  ['link onto a file', (fs, at) => fs.link(`${at}/file`, `${at}/other`)],
  ['link onto itself', (fs, at) => fs.link(`${at}/file`, `${at}/file`)],
  ['link to below nothing', (fs, at) => fs.link(`${at}/file`, `${at}/nothing/x`)],
  ['link to a long name', (fs, at) => fs.link(`${at}/file`, `${at}/${LONG}`)],
  ['symlink onto a file', (fs, at) => fs.symlink('x', `${at}/file`)],
  ['symlink below nothing', (fs, at) => fs.symlink('x', `${at}/nothing/x`)],
  ['symlink to an empty path', (fs, at) => fs.symlink('', `${at}/new`)],
  ['symlink with a long name', (fs, at) => fs.symlink('x', `${at}/${LONG}`)],
  ['readlink of a file', (fs, at) => fs.readlink(`${at}/file`)],
  ['readlink of a folder', (fs, at) => fs.readlink(`${at}/full`)],
  ['readlink of nothing', (fs, at) => fs.readlink(`${at}/nothing`)],
  ['chmod of nothing', (fs, at) => fs.chmod(`${at}/nothing`, 0o600)],
  ['chmod of a dangling symlink', (fs, at) => fs.chmod(`${at}/dangling`, 0o600)],
  ['chown of nothing', (fs, at) => fs.chown(`${at}/nothing`, 1, 1)],
  ['lchown of nothing', (fs, at) => fs.lchown(`${at}/nothing`, 1, 1)],
  ['utimes of nothing', (fs, at) => fs.utimes(`${at}/nothing`, 1, 1)],
  ['lutimes of nothing', (fs, at) => fs.lutimes(`${at}/nothing`, 1, 1)],
  ['truncate of nothing', (fs, at) => fs.truncate(`${at}/nothing`)],
  ['truncate of a folder', (fs, at) => fs.truncate(`${at}/full`)],
  ['copyFile of nothing', (fs, at) => fs.copyFile(`${at}/nothing`, `${at}/new`)],
  ['copyFile of a folder', (fs, at) => fs.copyFile(`${at}/full`, `${at}/new`)],
  ['copyFile onto a folder', (fs, at) => fs.copyFile(`${at}/file`, `${at}/full`)],
  ['copyFile to below nothing', (fs, at) => fs.copyFile(`${at}/file`, `${at}/nothing/x`)],
  ['copyFile onto a file, exclusively', (fs, at) => fs.copyFile(`${at}/file`, `${at}/other`, 1)],
];

/** What an error says, with the folder that the things lie in left out. */
export interface ErrorShape {
  readonly message: string;
  readonly name: string;
  /** Own enumerable properties, in node's order. */
  readonly own: Readonly<Record<string, unknown>>;
}

/** The shape of the error of a call; undefined where it did not fail. */
export async function shapeOf(call: Promise<unknown>, at: string): Promise<ErrorShape | undefined> {
  try {
    const result = await call;
    // A handle that should not be there must not stay open.
    if (typeof result === 'object' && result !== null && 'close' in result) await (result as FileHandle).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const strip = (value: unknown): unknown => {
      if (typeof value === 'string') return value.replaceAll(at, '');
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, strip(each)]));
    };
    return {
      message: String(strip(error.message)),
      name: error.name,
      own: Object.fromEntries(Object.entries(error).map(([key, value]) => [key, strip(value)])),
    };
  }
}
