import { describe, expect, it } from 'vitest';
import {
  OURS,
  SUPPORTED_SERVERS,
  effective,
  formatVersion,
  fromWire,
  since,
  until,
  version,
} from '../../src/protocol/version.ts';
import type { VersionText } from '../../src/protocol/version.ts';

const wire: readonly [VersionText, number][] = [
  ['3.0.115', 0x000300e6],
  ['3.0.117', 0x000300ea],
  ['2.1.7', 0x0002010e],
  ['4.57.5', 0x0004390a],
  ['4.59.2', 0x00043b04],
  ['4.0.0', 0x00040000],
  ['65535.255.127', 0xfffffffe],
];

describe('a version', () => {
  it.each(wire)('%s is a number of the wire', (text, number) => {
    expect(version(text) >>> 0).toBe(number);
    expect(formatVersion(number)).toBe(text);
    expect(fromWire(number)).toBe(number);
  });
  it.each(wire)('%s of the Pro edition is the same version', (text, number) => {
    expect(fromWire((number | 1) >>> 0)).toBe(number);
    expect(formatVersion((number | 1) >>> 0)).toBe(text);
  });
  it('before 2.0.0 has its minor number as it is, odd ones too', () => {
    expect(version('1.6.27')).toBe(0x0001061b);
    expect(fromWire(0x0001061b)).toBe(0x0001061b);
    expect(formatVersion(0x0001061b)).toBe('1.6.27');
  });
  it('can be compared', () => {
    const sorted = ['3.0.115', '3.0.117', '4.0.0', '4.9.127', '4.57.5', '4.59.2'] as const;
    const numbers = sorted.map(version);
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
  });
  it('that governs a connection is the lower one', () => {
    expect(effective(OURS, version('3.0.117'))).toBe(version('3.0.117'));
    expect(effective(OURS, version('5.0.0'))).toBe(OURS);
    expect(effective(OURS, OURS)).toBe(OURS);
  });
});

describe('a gate', () => {
  const table: readonly [string, ReturnType<typeof since>, Record<VersionText, boolean>][] = [
    ['since 4.40.0', since('4.40.0'), { '3.0.117': false, '4.39.127': false, '4.40.0': true, '4.59.2': true }],
    ['until 4.57.0', until('4.57.0'), { '3.0.117': true, '4.56.127': true, '4.57.0': false, '4.59.2': false }],
    [
      'since 3.0.113 / 4.22.0',
      since('3.0.113', '4.22.0'),
      {
        '3.0.112': false,
        '3.0.113': true,
        '3.255.127': true,
        '4.0.0': false,
        '4.21.127': false,
        '4.22.0': true,
        '5.0.0': true,
      },
    ],
    ['since 3.0.93', since('3.0.93'), { '3.0.92': false, '3.0.93': true, '4.0.0': true }],
  ];
  it.each(table)('%s', (text, gate, expected) => {
    expect(gate.text).toBe(text);
    const found = Object.keys(expected).map((each) => [each, gate.includes(version(each as VersionText))]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });
  it('leaves out the servers whose layouts are not declared', () => {
    const texts = ['3.0.114', '3.0.115', '3.0.118', '4.0.0', '4.21.0', '4.22.0', '4.60.0'] as const;
    expect(texts.filter((text) => SUPPORTED_SERVERS.includes(version(text)))).toEqual([
      '3.0.115',
      '3.0.118',
      '4.22.0',
      '4.60.0',
    ]);
  });
});
