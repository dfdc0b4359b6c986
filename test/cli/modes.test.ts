import { constants } from 'node:fs';
import { expect, it } from 'vitest';
import type { Stats } from '../../src/index.ts';
import { fullTime, listTime, modeText, octalMode, typeOf } from '../../src/cli/modes.ts';

const kinds = {
  isFile: '-',
  isDirectory: 'd',
  isSymbolicLink: 'l',
  isFIFO: 'p',
  isBlockDevice: 'b',
  isCharacterDevice: 'c',
  isSocket: 's',
};

function statsOf(kind: string, mode: number) {
  const asked = Object.fromEntries(Object.keys(kinds).map((each) => [each, () => each === kind]));
  return { ...asked, mode } as unknown as Stats;
}

it('the mode as ls shows it', () => {
  expect(modeText(statsOf('isFile', constants.S_IFREG | 0o644))).toBe('-rw-r--r--');
  expect(modeText(statsOf('isDirectory', constants.S_IFDIR | 0o1777))).toBe('drwxrwxrwt');
  expect(modeText(statsOf('isFile', 0o6755))).toBe('-rwsr-sr-x');
  expect(modeText(statsOf('isFile', 0o7000))).toBe('---S--S--T');
  expect(octalMode(constants.S_IFREG | 0o4755)).toBe('4755');
  expect(octalMode(0o7)).toBe('0007');
});

it('a letter for each type', () => {
  for (const [kind, letter] of Object.entries(kinds)) expect(typeOf(statsOf(kind, 0)).letter).toBe(letter);
});

it('times as ls and stat show them', () => {
  const now = new Date(2024, 5, 15, 12, 0, 0);
  expect(listTime(new Date(2024, 5, 5, 9, 7), now)).toBe('Jun  5 09:07');
  expect(listTime(new Date(2023, 10, 25, 9, 7), now)).toBe('Nov 25  2023');
  expect(listTime(new Date(2024, 5, 16), now)).toBe('Jun 16  2024');
  expect(fullTime(new Date(2024, 0, 2, 3, 4, 5))).toMatch(/^2024-01-02 03:04:05 [+-]\d{4}$/);
});
