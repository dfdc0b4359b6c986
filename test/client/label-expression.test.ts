/** Label expressions: text, the masks of 3.x, the Polish notation of 4.x. The bytes are those of real masters. */
import { describe, expect, it } from 'vitest';
import { decodeExpression, encodeExpression, splitCopies } from '../../src/client/label-expression.ts';

const hex = (text: string, size: 16 | 128) =>
  encodeExpression(text, size)
    .toString('hex')
    .replace(/(?:00)+$/, '');

describe('on 4.x', () => {
  it.each([
    ['*', ''],
    ['A', 'c0'],
    ['Z', 'd9'],
    ['A&B', 'c0c180'],
    ['AB', 'c0c180'],
    ['A|B', 'c0c140'],
    ['A+B', 'c0c140'],
    ['A&B&C', 'c0c1c281'],
    ['!A', 'c001'],
    ['(A|B)&!C', 'c0c140c20180'],
    ['A&B|C', 'c0c180c240'],
    ['A & *', 'c0ff80'],
  ])('%s', (text, bytes) => expect(hex(text, 128)).toBe(bytes));

  it.each(['*', 'A', 'A&B', 'A|B', '!A', '!(A|B)', '(A|B)&!C', 'A&B|C', 'A|B|C', '(A&B)&C'])('%s and back', (text) =>
    expect(decodeExpression(encodeExpression(text, 128))).toBe(text),
  );

  it('more than fits is refused', () => {
    const many = (count: number) => Array.from({ length: count }, () => 'A').join('|');
    expect(hex(many(65), 128)).toBe(`${'c0'.repeat(65)}7f`);
    for (const long of [many(66), `!${'!'.repeat(127)}A`, `(${many(64)})&(${many(64)})`])
      expect(() => encodeExpression(long, 128)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });

  it.each([['80'], ['c001c1'], ['02'], ['c0c181']])('%s is no expression', (bytes) =>
    expect(() => decodeExpression(Buffer.concat([Buffer.from(bytes, 'hex')], 128))).toThrow('label expression'),
  );
});

describe('on 3.x', () => {
  it.each([
    ['*', ''],
    ['A', '00000001'],
    ['A&C', '00000005'],
    ['A|B', '0000000100000002'],
    ['(A|B)&D', '000000090000000a'],
    ['A|*', ''],
  ])('%s', (text, bytes) => expect(encodeExpression(text, 16).toString('hex')).toBe(bytes.padEnd(32, '0')));
  it.each(['*', 'A', 'A&B', 'A|B', 'A&D|B&D'])('%s and back', (text) =>
    expect(decodeExpression(encodeExpression(text, 16))).toBe(text),
  );
  it.each(['!A', 'A|B|C|D|E'])('%s is refused', (text) =>
    expect(() => encodeExpression(text, 16)).toThrow('MooseFS 3'),
  );
});

it.each(['', 'a', 'A|', '(A', 'A)', '&A', '**', '1'])('%j is no expression', (text) =>
  expect(() => encodeExpression(text, 128)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })),
);

it('copies with commas and numbers', () => {
  expect(splitCopies('2A, B|C')).toEqual(['A', 'A', 'B|C']);
  expect(splitCopies('3')).toEqual(['*', '*', '*']);
  expect(splitCopies('2*')).toEqual(['*', '*']);
  for (const text of ['', 'A,', '0A', '10A']) expect(() => splitCopies(text)).toThrow('labels');
});
