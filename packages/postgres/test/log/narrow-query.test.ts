import { matchesPattern, parsePattern } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { narrowQuery } from '../../src/log/narrow-query.ts';

const LIMITS = { topicCharactersMax: 500, topicLevelsMax: 32 };
/** Characters on both sides of `/` in the order of the database, and those that mean something to LIKE. */
const level = fc.constantFrom('a', 'b', 'a-b', 'a0', '%', '_', '\\', 'ä');
const topics = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'));
const patterns = fc
  .array(fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constantFrom('+', '*', '#') }), {
    minLength: 1,
    maxLength: 5,
  })
  .filter((levels) => levels.filter((one) => one === '*' || one === '#').length <= 3)
  .map((levels) => levels.join('/'));

it('lets every topic through that the pattern matches', () => {
  fc.assert(
    fc.property(patterns, topics, (pattern, topic) => {
      fc.pre(matchesPattern(parsePattern(pattern, LIMITS), topic));
      expect([pattern, topic, isLetThrough(pattern, topic)]).toEqual([pattern, topic, true]);
    }),
    { numRuns: 2_000 },
  );
});

it('lets nothing else through where a pattern has its wildcards in one place and they stand for any levels', () => {
  const place = fc.constantFrom('#', '*');
  const around = fc.array(level, { maxLength: 2 });
  fc.assert(
    fc.property(around, place, around, topics, (before, wild, behind, topic) => {
      const pattern = [...before, wild, ...behind].join('/');
      const matches = matchesPattern(parsePattern(pattern, LIMITS), topic);
      expect([pattern, topic, isLetThrough(pattern, topic)]).toEqual([pattern, topic, matches]);
    }),
    { numRuns: 2_000 },
  );
});

/** What the database does with the conditions on the topic, in the order of its collation "C". */
function isLetThrough(pattern: string, topic: string): boolean {
  const { conditions, values } = narrowQuery({ topic: pattern }, 0);
  const asked = conditions.filter((condition) => condition.includes('$1') || /\$[2-9]/.test(condition));
  return asked.every((condition) => {
    const value = values[Number(/\$(\d)/.exec(condition)![1]) - 1];
    if (condition.includes('>=')) return Buffer.compare(Buffer.from(topic), Buffer.from(value as string)) >= 0;
    if (condition.includes('<')) return Buffer.compare(Buffer.from(topic), Buffer.from(value as string)) < 0;
    if (condition.includes('LIKE ANY')) return (value as string[]).some((like) => isLike(topic, like));
    return (value as string[]).includes(topic);
  });
}

function isLike(text: string, like: string): boolean {
  const source = like.replace(/\\(.)|([%_])|([^\\%_]+)/gs, (_, escaped, wild, literal) => {
    if (wild !== undefined) return wild === '%' ? '.*' : '.';
    return (escaped ?? literal).replace(/[\^$.*+?()[\]{}|\\]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's').test(text);
}
