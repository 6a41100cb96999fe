import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './benchmark.ts';
import { fillJournal } from './fill-journal.ts';

/**
 * The directory of a journal with at least `count` sample events, filled by whoever asks first in this run. Benchmarks may
 * add some thousands; none removes any.
 */
export async function preparedJournal(bench: Bench, count: number): Promise<string> {
  const directory = join(bench.sharedFolder, `journal-${count}`);
  const mark = `${directory}.filled`;
  if (existsSync(mark)) return directory;
  process.stderr.write(`  filling a journal with ${count.toLocaleString('en-US')} events\n`);
  const startedMs = performance.now();
  await fillJournal(directory, count);
  await writeFile(mark, '');
  process.stderr.write(`  filled in ${Math.round((performance.now() - startedMs) / 1_000)} s\n`);
  return directory;
}
