/** Patterns of paths: what matches and what does not, as with node's path.posix.matchesGlob. */
import { expect, it } from 'vitest';
import { isGlob, matchesGlob } from '../../src/client/glob.ts';

it.each([
  ['/a/b.txt', '*.txt', true],
  ['/a/b.txt', '/a/*.txt', true],
  ['/a/c/b.txt', '/a/*.txt', false],
  ['/a/c/d/b.txt', '/a/**', true],
  ['/a/c/d/b.txt', '/a/**/b.txt', true],
  ['/a/b.txt', '/a/**/b.txt', true],
  ['/ab/b.txt', '/a/**', false],
  ['/a/b1', 'b?', true],
  ['/a/b', 'b?', false],
  ['/a/b/', '/a/b?', false],
  ['/a/é', '/a/?', true],
  ['/a/🫎', '/a/?', true],
  ['/a/x', '[w-y]', true],
  ['/a/x', '[!w-y]', false],
  ['/a/-', '[!w-y]', true],
  ['/a/]', '[]]', true],
  ['/a/^', '[\\^]', true],
  ['/a/a+(b).{c}|$', 'a+(b).{c}|$', true],
  ['/a/a*b', 'a\\*b', true],
  ['/a/axb', 'a\\*b', false],
  ['/a/line\nfeed', '*feed', true],
  ['/a/[', '[', true],
])('%j and %j: %s', (path, pattern, expected) => expect(matchesGlob(path, pattern)).toBe(expected));

it('a range that ends before it begins is refused', () => {
  expect(() => matchesGlob('/a', '[z-a]')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
});

it('what is a pattern', () => {
  expect(['a*', 'a?', '[a]'].every(isGlob)).toBe(true);
  expect(isGlob('/a/b.txt')).toBe(false);
});
