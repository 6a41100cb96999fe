import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const PROGRAM = 'examples/pace-and-groups/main.ts';
const text = guide('pace-and-groups.md');
const blocks = namedBlocks(text);

/** Whoever types what a guide shows has to get what it says. */
it.each(blocks.filter(({ language }) => language === 'ts'))('the guide shows $file#$region as it is', (block) => {
  expect([block.file, block.text]).toEqual([PROGRAM, regionOf(block.file, block.region)]);
});

it('shows no code that is not run', () => {
  expect(namelessLanguages(text)).toEqual([]);
});

it('shows what the program prints', { timeout: 60_000 }, async () => {
  const { stdout } = await run(process.execPath, ['--conditions=source', join(root, PROGRAM)]);
  const shown = blocks.filter(({ language }) => language === 'text').map((block) => block.text);
  expect(stdout).toBe(shown.join(''));
});
