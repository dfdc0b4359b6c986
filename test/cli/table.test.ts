import { expect, it } from 'vitest';
import { inColumns, Table } from '../../src/cli/table.ts';

it('columns are as wide as their widest cell, and lines end in no space', () => {
  const rows = [
    ['/a', '7', 'x'],
    ['/東京', '1234', ''],
  ];
  const table = new Table([{ title: 'FILE' }, { title: 'N', align: 'right' }, { title: 'OK' }], rows);
  expect([table.head, ...rows.map((row) => table.row(row))]).toEqual([
    'FILE      N  OK',
    '/a        7  x',
    '/東京  1234',
  ]);
});

it('a column may be given its width, and a longer cell pushes the rest aside', () => {
  const table = new Table([{ title: 'A', width: 4 }, { title: 'B' }]);
  expect([table.head, table.row(['1', '2']), table.row(['123456', '2'])]).toEqual(['A     B', '1     2', '123456  2']);
});

it('names in as many columns as fit, filled downwards', () => {
  const names = ['one', 'two', 'three', 'four', 'five'];
  expect(inColumns(names, 80)).toEqual(['one  two  three  four  five']);
  expect(inColumns(names, 16)).toEqual(['one  three  five', 'two  four']);
  expect(inColumns(names, 15)).toEqual(['one    four', 'two    five', 'three']);
  expect(inColumns(names, 3)).toEqual(names);
  expect(inColumns([], 80)).toEqual([]);
  for (let width = 5; width < 40; width++)
    for (const line of inColumns(names, width)) expect(line.length).toBeLessThanOrEqual(width);
});
