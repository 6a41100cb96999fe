import { DEFAULT_LIMITS } from '@event-manager/core';
import { isSafePattern } from 'redos-detector';
import { expect, it } from 'vitest';
import { components, routeDocuments } from '../packages/server/src/protocols/http/schemas/route-documents.ts';
import { readRepository } from '../scripts/tidy/repository.ts';
import { isPackageSource, nameOf, parseSource, walk } from '../scripts/tidy/source-file.ts';

/**
 * A pattern that can be matched in many ways makes an engine that goes back try them all: a text of some kilobytes then stops
 * the process. The checker is a pure program (nothing is fetched or compiled when it is installed) and says of every pattern
 * whether a text can be read in more and more ways as it grows, also in few enough for the square of its length.
 */
interface Expression {
  readonly place: string;
  readonly pattern: string;
  readonly flags: string;
}

/** More than this is not safe either; a pattern that is needs far fewer. */
const STEPS_MAX = 20_000;

function literals(): Expression[] {
  const found: Expression[] = [];
  for (const [path, text] of readRepository().sources) {
    if (!isPackageSource(path)) continue;
    const file = parseSource(path, text);
    walk(file.program, (node) => {
      const regex = node['regex'] as Omit<Expression, 'place'> | undefined;
      if (node.type === 'Literal' && regex) found.push({ place: `${path}:${file.lineAt(node.start)}`, ...regex });
    });
  }
  return found;
}

/** What the OpenAPI document gives to the validators of others. */
function published(): Expression[] {
  const text = JSON.stringify([components(DEFAULT_LIMITS), routeDocuments(DEFAULT_LIMITS)]);
  const patterns = [...text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, pattern]) => JSON.parse(pattern!) as string,
  );
  return [...new Set(patterns)].map((pattern) => ({ place: 'openapi.json', pattern, flags: 'u' }));
}

function isSafe({ pattern, flags }: Expression): boolean {
  // A sticky one is tried at one place only.
  const { safe } = isSafePattern(flags.includes('y') ? `^(?:${pattern})` : pattern, {
    caseInsensitive: flags.includes('i'),
    unicode: flags.includes('u'),
    dotAll: flags.includes('s'),
    multiLine: flags.includes('m'),
    maxSteps: STEPS_MAX,
  });
  return safe;
}

it('has no regular expression that a text could stop the process with', { timeout: 120_000 }, () => {
  const expressions = [...literals(), ...published()];
  expect(expressions.length).toBeGreaterThan(50);
  const vulnerable = expressions.filter((expression) => !isSafe(expression));
  process.stdout.write(`${JSON.stringify({ expressions: expressions.length, vulnerable: vulnerable.length })}\n`);
  expect(vulnerable).toEqual([]);
});

it('would notice one', () => {
  for (const pattern of ['^(a+)+$', '(.*)*x', '\\s+$', '^(\\w+\\s?)*$']) {
    expect([pattern, isSafe({ place: '', pattern, flags: '' })]).toEqual([pattern, false]);
  }
});

/** One made from a text at run time could not be checked here. What clients give is compiled by an engine that never goes back. */
it('makes no regular expression from a text', () => {
  const made: string[] = [];
  for (const [path, text] of readRepository().sources) {
    if (!isPackageSource(path) || path.startsWith('packages/testing/')) continue;
    const file = parseSource(path, text);
    walk(file.program, (node) => {
      const isCall = node.type === 'NewExpression' || node.type === 'CallExpression';
      if (isCall && nameOf(node['callee']) === 'RegExp') made.push(`${path}:${file.lineAt(node.start)}`);
    });
  }
  expect(made).toEqual([]);
});
