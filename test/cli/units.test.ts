/** Sizes and times as users type them. */
import { expect, it } from 'vitest';
import { parseSeconds, parseSize, secondsText } from '../../src/cli/units.ts';

it.each([
  ['0', 0],
  ['1000', 1000],
  ['10K', 10_240],
  ['1.5M', 1_572_864],
  ['2GiB', 2 * 1024 ** 3],
  ['2GB', 2e9],
  ['3T', 3 * 1024 ** 4],
  ['7b', 7],
])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));
it.each(['', 'G', '-1', '1X', '99999P', '1 2'])('%j is no size', (text) =>
  expect(() => parseSize(text)).toThrow('size'),
);

it.each([
  ['90', 90],
  ['90s', 90],
  ['1.5h', 5400],
  ['7d', 604_800],
  ['1w', 604_800],
  ['0', 0],
])('%s is %d seconds', (text, seconds) => expect(parseSeconds(text)).toBe(seconds));
it.each(['', 'd', '1y', '-3h'])('%j is no time', (text) => expect(() => parseSeconds(text)).toThrow('time'));

it('times as text', () => {
  expect([0, 59, 3600, 86_400 + 3600, 694_861].map(secondsText)).toEqual(['0s', '59s', '1h', '1d 1h', '8d 1h 1m 1s']);
});
