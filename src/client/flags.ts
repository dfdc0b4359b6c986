/** The flags of open(), as node:fs has them: words and numbers. */
import { constants } from 'node:fs';
import { checkInteger, invalidType, invalidValue, outOfRange } from './arguments.ts';

/** What an open is to do. */
export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** Every write resolves only when all replicas have acknowledged it. */
  readonly sync: boolean;
  readonly directory: boolean;
  readonly noFollow: boolean;
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC } = constants;
const O_ACCMODE = O_RDONLY | O_WRONLY | O_RDWR;
/** Not on every platform. */
const O_DSYNC = constants.O_DSYNC as number | undefined;
const O_DIRECTORY = constants.O_DIRECTORY as number | undefined;
const O_NOFOLLOW = constants.O_NOFOLLOW as number | undefined;

const words: Record<string, number> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  sr: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  'sr+': O_RDWR | O_SYNC,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  xw: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  'wx+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  'xw+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  xa: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  sa: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  'a+': O_APPEND | O_CREAT | O_RDWR,
  'ax+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'xa+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'as+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
  'sa+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
};

/** Reads flags. Throws as node does where they are none. O_DIRECT and others that ask for nothing here are accepted. */
export function parseFlags(flags: string | number | null | undefined): OpenMode {
  const bits =
    typeof flags === 'number'
      ? checkInteger(flags, 'flags', -0x8000_0000, 0x7fff_ffff)
      : flags === null || flags === undefined
        ? O_RDONLY
        : Object.hasOwn(words, flags)
          ? words[flags]
          : undefined;
  if (bits === undefined) throw invalidValue('flags', flags);
  const has = (bit: number | undefined) => bit !== undefined && bit !== 0 && (bits & bit) === bit;
  const access = bits & O_ACCMODE;
  return {
    read: access === O_RDONLY || access === O_RDWR,
    write: access === O_WRONLY || access === O_RDWR,
    append: has(O_APPEND),
    create: has(O_CREAT),
    exclusive: has(O_CREAT) && has(O_EXCL),
    truncate: has(O_TRUNC),
    sync: has(O_SYNC) || has(O_DSYNC),
    directory: has(O_DIRECTORY),
    noFollow: has(O_NOFOLLOW),
  };
}

/** Reads a mode: a number or octal text. Without a fallback there must be one. */
export function parseMode(mode: unknown, fallback?: number, name = 'mode'): number {
  const given = mode ?? fallback;
  if (typeof given === 'string') {
    if (!/^[0-7]+$/.test(given)) throw invalidValue(name, mode, 'must be a 32-bit unsigned integer or an octal string');
    return Number.parseInt(given, 8) & 0o7777;
  }
  if (typeof given !== 'number') throw invalidType(name, 'of type number or an octal string', given);
  if (!Number.isInteger(given)) throw outOfRange(name, 'an integer', given);
  if (given < 0 || given > 0xffff_ffff) throw outOfRange(name, '>= 0 && <= 4294967295', given);
  return given & 0o7777;
}
