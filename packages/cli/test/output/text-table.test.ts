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

it('keeps its columns beside characters that are two cells wide, or none', () => {
  const rows = [
    ['注文', 'x'],
    ['👩‍🚀 e\u0301', 'y'],
  ];
  expect(textTable(['NAME', 'END'], rows)).toEqual(['NAME  END', '注文  x', '👩‍🚀 e\u0301  y']);
});

it('lets no text of others reach the terminal as a command', () => {
  expect(textTable(['ID'], [['\u001b[2J\u0007\n']])).toEqual(['ID', '\\u001b[2J\\u0007\\u000a']);
});
