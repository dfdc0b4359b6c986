/** Patterns of paths as shells have them. */
import { invalidValue } from './arguments.ts';

/**
 * Whether a path matches a pattern, as node's `path.posix.matchesGlob`: `*` and `?` stand for characters of one name, `**` for any
 * number of names, `[a-z]` and `[!a-z]` for one character. A pattern without a slash is compared with the last name only.
 *
 * @example
 * ```ts
 * import { matchesGlob } from 'moosefs-client';
 *
 * console.log(matchesGlob('/docs/a.txt', '/docs/*.txt'), matchesGlob('/docs/2024/a.txt', '*.txt'));
 * ```
 */
export function matchesGlob(path: string, pattern: string): boolean {
  return globPattern(pattern).test(pattern.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1));
}

/** A pattern as a regular expression for whole paths, or for names where it has no slash. */
export function globPattern(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const set = /^\[(!|\^)?(\]?[^\]]*)\]/.exec(rest);
    if (rest.startsWith('**/')) {
      source += '(?:[^/]*/)*';
      at += 2;
    } else if (rest.startsWith('**')) {
      source += '.*';
      at++;
    } else if (rest[0] === '*') source += '[^/]*';
    else if (rest[0] === '?') source += '[^/]';
    else if (set !== null) {
      source += `[${set[1] === undefined ? '' : '^/'}${set[2]!.replaceAll(/[\\\][^]/g, '\\$&')}]`;
      at += set[0].length - 1;
    } else source += literal(rest[0] === '\\' && rest.length > 1 ? pattern[++at]! : rest[0]!);
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    throw invalidValue('pattern', pattern, 'has a range of characters that ends before it begins');
  }
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');

/** Whether a text has characters that make it a pattern. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);
