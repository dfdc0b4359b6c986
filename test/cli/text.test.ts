import { describe, expect, it } from 'vitest';
import { countText, durationText, pad, safeText, shortSizeText, sizeText, widthOf } from '../../src/cli/text.ts';

it('text does nothing to a terminal and stays on one line', () => {
  expect(safeText('a\nb\rc\td')).toBe('a\\nb\\rc\\td');
  expect(safeText('\u001b[31mred\u001b[0m\u0007\u009b')).toBe('\\u{1b}[31mred\\u{1b}[0m\\u{7}\\u{9b}');
  expect(safeText('safe\u202egnp.exe\u2028')).toBe('safe\\u{202e}gnp.exe\\u{2028}');
  expect(safeText('Zürich 東京 🐘')).toBe('Zürich 東京 🐘');
});

describe('sizes', () => {
  it.each([
    [0, '0 B', '0'],
    [999, '999 B', '999'],
    [1000, '1.0 KiB', '1.0K'],
    [1024, '1.0 KiB', '1.0K'],
    [1536, '1.5 KiB', '1.5K'],
    [102_349, '100 KiB', '100K'],
    [1024 ** 2 - 1, '1.0 MiB', '1.0M'],
    [1024 ** 3 * 120, '120 GiB', '120G'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB', '8.0P'],
  ])('%d', (bytes, long, short) => {
    expect(sizeText(bytes)).toBe(long);
    expect(shortSizeText(bytes)).toBe(short);
  });
});

it('durations', () => {
  expect([0, 7.4, 59.6, 754, 12_345].map(durationText)).toEqual(['0:00', '0:07', '1:00', '12:34', '3:25:45']);
});

it('counts', () => {
  expect([countText(1, 'file'), countText(0, 'file'), countText(2, 'copy', 'copies')]).toEqual([
    '1 file',
    '0 files',
    '2 copies',
  ]);
});

it('columns of a terminal, not characters', () => {
  expect(['abc', '東京', 'é', 'e\u0301', '🐘', ''].map(widthOf)).toEqual([3, 4, 1, 1, 2, 0]);
  expect(pad('東', 4)).toBe('東  ');
  expect(pad('7', 3, 'right')).toBe('  7');
  expect(pad('long', 2)).toBe('long');
});
