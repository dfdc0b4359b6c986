import { expect, it } from 'vitest';
import { baseName, folderOf, isWithin, joinPath, jsonPath, normalized } from '../../src/cli/paths.ts';

const b = (text: string) => Buffer.from(text);

it('last names and folders', () => {
  const cases: [string, string, string][] = [
    ['/a/b', 'b', '/a'],
    ['/a/b//', 'b', '/a'],
    ['a', 'a', '.'],
    ['/a', 'a', '/'],
    ['/', '', '/'],
    ['a/..', '', 'a'],
    ['.', '', '.'],
    ['/a/.', '', '/a'],
  ];
  for (const [path, name, folder] of cases) {
    expect(baseName(b(path)).toString(), path).toBe(name);
    expect(folderOf(b(path)).toString(), path).toBe(folder);
  }
});

it('paths that mean the same', () => {
  for (const path of ['/', '', '.', '//', '/.', '/a/..', '/..', '../..', '/a/../'])
    expect(normalized(b(path)), path).toBe('/');
  expect(normalized(b('a//b/./c/'))).toBe('/a/b/c');
});

it('what lies in what', () => {
  expect(isWithin(b('/a/b'), b('/a'))).toBe(true);
  expect(isWithin(b('a'), b('/a/'))).toBe(true);
  expect(isWithin(b('/ab'), b('/a'))).toBe(false);
  expect(isWithin(b('/x'), b('/'))).toBe(true);
});

it('names that are no UTF-8 are kept', () => {
  const name = Buffer.from([0x61, 0xff]);
  expect(joinPath(b('/f'), name)).toEqual(Buffer.from([0x2f, 0x66, 0x2f, 0x61, 0xff]));
  expect(jsonPath(name)).toEqual({ path: 'a\ufffd', pathBase64: 'Yf8=' });
  expect(jsonPath(b('/ä'))).toEqual({ path: '/ä' });
});
