import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SOURCE_DOCUMENTS } from './source-documents.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/sources.md'), 'utf8');

interface Row {
  readonly section: string;
  readonly words: string;
  readonly runBy: string;
}

/** The rows of the tables of a section of the page, by their first column. */
function rowsOf(title: string, firstColumn: string): Row[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
  const table = section.split('\n\n').find((part) => part.startsWith(`| ${firstColumn} |`)) ?? '';
  const lines = table.trim().split('\n').slice(2);
  return lines.map((line) => {
    const [, first, second, third] = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
    return { section: first!, words: second!.replaceAll('`', ''), runBy: third! };
  });
}

const testsOf = (runBy: string) =>
  [...runBy.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\): “([^”]+)”/g)].map(([, shown, file, title]) => ({
    ...{ shown: shown!, file: file!, title: title! },
  }));

/** What of these documents needs no test, or none of its own. */
const NOT_A_TEST = /^(a drawing|the eight points of that program, below$|measured: )/;
/** These two also ask for what comes later. */
const INCOMPLETE = ['DADMS EventManager Service Specification', 'Event Bus → EventManager Migration Plan'];

describe.each(SOURCE_DOCUMENTS)('$title', ({ title, blocks, entries }) => {
  const shown = rowsOf(title, 'Code block');
  const further = rowsOf(title, 'Section');

  it('has a row for each of its code blocks, in their order, and no other', () => {
    expect(shown.map(({ section, words }) => [section, words])).toEqual(blocks);
  });

  it('has a row for each further entry', () => {
    expect(further.map(({ section, words }) => [section, words])).toEqual(entries);
  });

  it('names for each row a test that is there', () => {
    for (const { words, runBy } of [...shown, ...further]) {
      const tests = testsOf(runBy);
      const isLater = INCOMPLETE.includes(title) && runBy.startsWith('not run yet: ');
      expect(tests.length > 0 || isLater || NOT_A_TEST.test(runBy), `${words}: ${runBy}`).toBe(true);
      for (const { shown: name, file, title: named } of tests) {
        expect(name).toBe(file);
        expect(existsSync(join(root, file)), file).toBe(true);
        const quoted = [`'${named}'`, `"${named}"`, `\`${named}\``];
        const text = readFileSync(join(root, file), 'utf8');
        expect(
          quoted.some((title) => text.includes(title)),
          `${file} has no test “${named}”`,
        ).toBe(true);
      }
    }
  });
});

it('counts what it lists', () => {
  const counted = [...page.matchAll(/^\| \d{3} \| (.+) \| (\d+) \| (\d+) \|$/gm)];
  const listed = SOURCE_DOCUMENTS.map(({ title, blocks, entries }) => [title, blocks.length, entries.length]);
  const byTitle = (rows: unknown[][]) => rows.toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1));
  expect(byTitle(counted.map(([, title, blocks, entries]) => [title, Number(blocks), Number(entries)]))).toEqual(
    byTitle(listed),
  );
});
