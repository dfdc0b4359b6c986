/** What stat and ls -l say of a file, in the words of the coreutils. */
import type { Stats } from '../index.ts';

type TypedStats = Pick<
  Stats,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isBlockDevice' | 'isCharacterDevice' | 'isSocket'
>;

/** Letter and words for what it is. */
export function typeOf(stats: TypedStats): { readonly letter: string; readonly words: string; readonly json: string } {
  if (stats.isFile()) return { letter: '-', words: 'regular file', json: 'file' };
  if (stats.isDirectory()) return { letter: 'd', words: 'directory', json: 'directory' };
  if (stats.isSymbolicLink()) return { letter: 'l', words: 'symbolic link', json: 'symlink' };
  if (stats.isFIFO()) return { letter: 'p', words: 'fifo', json: 'fifo' };
  if (stats.isBlockDevice()) return { letter: 'b', words: 'block special file', json: 'blockDevice' };
  if (stats.isCharacterDevice()) return { letter: 'c', words: 'character special file', json: 'characterDevice' };
  return { letter: 's', words: 'socket', json: 'socket' };
}

/** `-rw-r--r--`. */
export function modeText(stats: TypedStats & { readonly mode: number }): string {
  const bits = stats.mode & 0o7777;
  const three = (shift: number, special: number, letter: string): string => {
    const rwx = (bits >> shift) & 7;
    const executes = (rwx & 1) !== 0;
    const last = (bits & special) === 0 ? (executes ? 'x' : '-') : executes ? letter : letter.toUpperCase();
    return `${(rwx & 4) === 0 ? '-' : 'r'}${(rwx & 2) === 0 ? '-' : 'w'}${last}`;
  };
  return typeOf(stats).letter + three(6, 0o4000, 's') + three(3, 0o2000, 's') + three(0, 0o1000, 't');
}

/** `0644`. */
export const octalMode = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HALF_A_YEAR_MS = (365.2425 / 2) * 86_400_000;

const two = (value: number): string => String(value).padStart(2, '0');

/** As ls -l: with the time of day for the last half year, with the year otherwise. */
export function listTime(time: Date, now: Date): string {
  const age = now.getTime() - time.getTime();
  const day = `${months[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  return age >= 0 && age < HALF_A_YEAR_MS
    ? `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
    : `${day}  ${time.getFullYear()}`;
}

/** As stat: `2024-05-01 12:34:56 +0200`. */
export function fullTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())} ${zone}`;
}

/** What `--json` says of a file. */
export function jsonStats(stats: Stats): object {
  return {
    type: typeOf(stats).json,
    size: stats.size,
    mode: octalMode(stats.mode),
    inode: stats.ino,
    links: stats.nlink,
    uid: stats.uid,
    gid: stats.gid,
    modified: stats.mtime,
    accessed: stats.atime,
    changed: stats.ctime,
  };
}
