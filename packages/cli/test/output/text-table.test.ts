import { expect, it } from 'vitest';
import { textTable } from '../../src/output/text-table.ts';

it('puts rows in columns, and is empty without rows', () => {
  const rows = [
    ['1', 'a long name', 'x'],
    ['22', '', 'y'],
  ];
  expect(textTable(['ID', 'NAME', 'END'], rows)).toEqual([
    'ID  NAME         END',
    '1   a long name  x',
    '22               y',
  ]);
  expect(textTable(['ID'], [])).toEqual([]);
});

it('lets no text of others reach the terminal as a command', () => {
  expect(textTable(['ID'], [['\u001b[2J\u0007\n']])).toEqual(['ID', '\\u001b[2J\\u0007\\u000a']);
});
