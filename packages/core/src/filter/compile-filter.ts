import { type ContextCell, NO_CONTEXT } from '../context/context-cell.ts';
import type { Event } from '../event/event.ts';
import { jsonPointer } from '../json/json-pointer.ts';
import { compileTexts, compileWanted } from './compile-matcher.ts';
import type { Filter, FilterAlternative, FilterClauses, TextMatcher, ValueFilter } from './filter.ts';
import { relevanceTests, systemTests } from './relevance.ts';
import { compilePath } from './value-at-path.ts';

type Test = (event: Event) => boolean;

interface Clause {
  /** JSON pointer in the filter. */
  readonly pointer: string;
  readonly test: Test;
}

interface Compiling {
  readonly known: ContextCell;
  /** Clauses about urgency, type and relevance let every CRITICAL event pass. */
  readonly criticalAlways: boolean;
}

/**
 * Makes the test for one filter as `parseFilter` returned it; cheap fields are looked at first. `known` is where the context of
 * the subscriber is found.
 */
export function compileFilter(filter: Filter, known: ContextCell = NO_CONTEXT): (event: Event) => boolean {
  const tests = clausesOf(filter, known).map(({ test }) => test);
  if (tests.length === 0) return () => true;
  if (tests.length === 1) return tests[0]!;
  return (event) => {
    for (const test of tests) if (!test(event)) return false;
    return true;
  };
}

/** A clause that keeps an event out. */
export interface FailingClause {
  /** JSON pointer in the filter. */
  readonly pointer: string;
  /** Of `or`: the clause that keeps the event out of each alternative. */
  readonly alternatives?: readonly FailingClause[];
}

/** JSON pointer of the first clause that keeps the event out; `undefined` when it passes. Compiles anew: for people who ask why. */
export function failingClause(filter: Filter, event: Event, known: ContextCell = NO_CONTEXT): string | undefined {
  return whatFails(filter, event, known)?.pointer;
}

/** The same, and of `or` what fails in each alternative. */
export function whatFails(filter: Filter, event: Event, known: ContextCell = NO_CONTEXT): FailingClause | undefined {
  return firstFailing(filter, event, { known, criticalAlways: filter.criticalAlways === true }, '');
}

function firstFailing(
  filter: FilterAlternative,
  event: Event,
  compiling: Compiling,
  at: string,
): FailingClause | undefined {
  const failing = clauses(filter, compiling).find(({ test }) => !test(event));
  if (!failing) return undefined;
  const pointer = `${at}${failing.pointer}`;
  if (failing.pointer !== '/or') return { pointer };
  const alternatives = (filter.or ?? []).flatMap(
    (alternative, index) => firstFailing(alternative, event, compiling, `${pointer}/${index}`) ?? [],
  );
  return { pointer, alternatives };
}

function clausesOf(filter: Filter, known: ContextCell): Clause[] {
  return clauses(filter, { known, criticalAlways: filter.criticalAlways === true });
}

function clauses(filter: FilterAlternative, compiling: Compiling): Clause[] {
  const { criticalAlways } = compiling;
  const yielding = [
    ...priorityTests(filter),
    ...systemTests(filter),
    ...typeTests(filter),
    ...relevanceTests(filter, compiling),
  ];
  const all: [string, Test][] = [
    ...yielding.map(([name, test]): [string, Test] => [name, criticalAlways ? unlessCritical(test) : test]),
    ...textTests(filter),
    ...valueTests('metadata', filter.metadata, (event) => event.metadata),
    ...valueTests('payload', filter.payload, (event) => event.payload),
    ...alternativeTests(filter, compiling),
  ];
  return all.map(([pointer, test]) => ({ pointer: `/${pointer}`, test }));
}

function unlessCritical(test: Test): Test {
  return (event) => event.priority === 0 || test(event);
}

function priorityTests({ priority }: FilterClauses): [string, Test][] {
  if (priority === undefined) return [];
  if (typeof priority === 'number') return [['priority', (event) => event.priority <= priority]];
  return [['priority', (event) => priority.includes(event.priority)]];
}

function typeTests({ types, includeTypes, excludeTypes }: FilterClauses): [string, Test][] {
  const tests: [string, Test][] = [];
  for (const [name, matchers] of Object.entries({ types, includeTypes })) {
    if (matchers === undefined) continue;
    const matches = compileTexts(matchers, true);
    tests.push([name, (event) => matches(event.type)]);
  }
  if (excludeTypes !== undefined && excludeTypes.length > 0) {
    const matches = compileTexts(excludeTypes, true);
    tests.push(['excludeTypes', (event) => !matches(event.type)]);
  }
  return tests;
}

function textTests({ sources, topics, tags }: FilterClauses): [string, Test][] {
  const tests: [string, Test][] = [];
  if (sources !== undefined) {
    const matches = compileTexts(sources, false);
    tests.push(['sources', (event) => matches(event.source)]);
  }
  if (topics !== undefined) {
    const matches = compileTexts(topics, true);
    tests.push(['topics', (event) => matches(event.topic)]);
  }
  for (const [index, tag] of (tags ?? []).entries()) tests.push([`tags/${index}`, tagTest(tag)]);
  return tests;
}

/** Some tag is the wanted one; of operators that deny, none is the denied one. */
function tagTest(wanted: TextMatcher): Test {
  if (typeof wanted === 'string') return (event) => event.metadata.tags.includes(wanted);
  const { anythingBut, ...others } = wanted;
  const tests: Test[] = [];
  if (Object.keys(others).length > 0) {
    const matches = compileTexts([others], false);
    tests.push((event) => event.metadata.tags.some(matches));
  }
  if (anythingBut !== undefined) {
    const denied = (Array.isArray(anythingBut) ? anythingBut : [anythingBut]) as readonly TextMatcher[];
    const matches = compileTexts(denied, false);
    tests.push((event) => !event.metadata.tags.some(matches));
  }
  return (event) => tests.every((test) => test(event));
}

function valueTests(
  name: string,
  values: ValueFilter = {},
  part: (event: Event) => unknown,
): readonly [string, Test][] {
  return Object.entries(values).map(([path, wanted]) => {
    const find = compilePath(path);
    const matches = compileWanted(wanted);
    return [jsonPointer(name, path), (event: Event) => matches(find(part(event)))];
  });
}

function alternativeTests({ or }: FilterAlternative, compiling: Compiling): [string, Test][] {
  if (or === undefined) return [];
  const alternatives = or.map((alternative) => clauses(alternative, compiling).map(({ test }) => test));
  const passes = (event: Event) => {
    for (const tests of alternatives) if (tests.every((test) => test(event))) return true;
    return false;
  };
  return [['or', passes]];
}
