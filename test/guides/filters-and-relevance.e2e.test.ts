import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  ANONYMOUS,
  compileFilter,
  DEFAULT_LIMITS,
  decodeEvent,
  EventManager,
  normalize,
  parseFilter,
  parseSubscription,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS } from '../../packages/core/src/filter/aliases.ts';
import { OPERATORS, operatorName } from '../../packages/core/src/filter/operators.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const text = guide('filters-and-relevance.md');
const blocks = namedBlocks(text);
const PROGRAM = 'examples/relevance/main.ts';

/** The cells of every row of all tables whose first line begins so. */
function rows(head: string): string[][] {
  const tables = text.split(/\n\n/).filter((part) => part.startsWith(`| ${head} |`));
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((row) => row.slice(1, -1).split('|')),
  );
}

const code = (cell: string) => cell.match(/`([^`]*)`/)?.[1] ?? '';
const codes = (cell: string) => [...cell.matchAll(/`([^`]*)`/g)].map(([, found]) => found!);

function anEvent(fields: object) {
  const writing = { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 };
  return decodeEvent(normalize({ type: 'order.created', source: 'shop', ...fields }, writing).body);
}

/** A reader copies what stands in a guide: it has to be what runs. */
describe('the guide to filters', () => {
  it('shows no code that is not run, and what it prints', { timeout: 60_000 }, async () => {
    for (const { language, file, region, text: shown } of blocks) {
      expect(file).toBe(PROGRAM);
      if (language === 'ts') expect(shown).toBe(regionOf(file, region));
    }
    expect(namelessLanguages(text)).toEqual([]);
    const { stdout } = await run(process.execPath, ['--conditions=source', join(root, PROGRAM)], {
      cwd: temporaryDirectory(),
    });
    expect(stdout).toBe(blocks.find(({ language }) => language === 'text')!.text);
  });

  it.each(rows('Filter'))('says what the filter %s lets through', (filter, passing, other) => {
    const matches = compileFilter(parseFilter(JSON.parse(code(filter!)), DEFAULT_LIMITS, ''));
    expect(matches(anEvent(JSON.parse(code(passing!))))).toBe(true);
    expect(matches(anEvent(JSON.parse(code(other!))))).toBe(false);
  });

  it.each(rows('Instead of'))('is right that %s is refused, and what may be written instead', (refused, instead) => {
    expect(() => parseFilter({ payload: JSON.parse(code(refused!)) }, DEFAULT_LIMITS, '')).toThrow('operator');
    for (const payload of codes(instead!)) parseFilter({ payload: JSON.parse(payload) }, DEFAULT_LIMITS, '');
  });

  it('shows every operator in every spelling, as it is read', () => {
    const shown = rows('Operator').map(([example, others]) => {
      const operator = JSON.parse(code(example!)) as object;
      parseFilter({ payload: { a: operator } }, DEFAULT_LIMITS, '');
      const [name] = Object.keys(operator);
      for (const spelling of codes(others!)) expect(operatorName(spelling)).toBe(name);
      return name;
    });
    expect(new Set(shown)).toEqual(new Set(OPERATORS));
  });

  it('lists the clauses of relevance in every spelling', () => {
    for (const [name, others] of rows('Clause')) {
      const listed = [code(name!), ...codes(others!)];
      const known = [...FILTER_FIELDS.names].flatMap(([spelling, of]) => (of === code(name!) ? [spelling] : []));
      expect(listed).toEqual(known);
    }
  });

  it('shows calls, a context and a request that are accepted', async () => {
    await using events = new EventManager();
    for (const [call] of rows('Call')) expect(events).toHaveProperty(code(call!).split('(')[0]!);
    const [, context] = text.match(/^```json context\n([\s\S]*?)^```/m)!;
    await events.registerContext('assistant', JSON.parse(context!));
    const [, request] = text.match(/^```json subscription\n([\s\S]*?)^```/m)!;
    const { filter, options } = parseSubscription(JSON.parse(request!), DEFAULT_LIMITS);
    expect(filter).toMatchObject({ userRelevant: true, projectScoped: true, priority: 2, criticalAlways: true });
    expect(options).toMatchObject({ rateLimitPerMinute: 1000, batchSize: 20 });
  });
});
