import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { compilePatterns } from '../../src/topic/compile-patterns.ts';
import { matchesPattern, parsePattern } from '../../src/topic/pattern.ts';
import { parseTopic } from '../../src/topic/topic.ts';
import { refusal } from '../refusal.ts';
import { bruteForceMatch } from './brute-force-match.ts';

const matches = (pattern: string, topic: string) =>
  matchesPattern(parsePattern(pattern, DEFAULT_LIMITS), parseTopic(topic, DEFAULT_LIMITS));

describe('matchesPattern', () => {
  it.each([
    ['project.*', 'project/created'],
    ['project.*', 'project/member/added'],
    ['*.created', 'project.created'],
    ['*.created', 'a/b/created'],
    ['project/created', 'project.created'],
    ['#', 'anything/at/all'],
    ['*', 'anything/at/all'],
    ['a/#', 'a'],
    ['a/#/b', 'a/b'],
    ['a/+/c', 'a/b/c'],
    ['#/b/#', 'a/b/b/c'],
    ['*/b/*', 'b/b/b'],
    ['$sys/#', '$sys/subscription/stopped'],
    ['a/*', 'a/$b'],
  ])('%s matches %s', (pattern, topic) => {
    expect(matches(pattern, topic)).toBe(true);
  });

  it.each([
    ['project.*', 'project'],
    ['*.created', 'created'],
    ['a/+', 'a/b/c'],
    ['+', 'a/b'],
    ['a/#/b', 'a/b/c'],
    ['*/b/*', 'b/b'],
    ['A/b', 'a/b'],
    ['#', '$sys/health'],
    ['*', '$sys'],
    ['+/health', '$sys/health'],
    ['#/health', '$other/health'],
  ])('%s does not match %s', (pattern, topic) => {
    expect(matches(pattern, topic)).toBe(false);
  });

  it('agrees with trying every split, for any pattern and topic', () => {
    const level = fc.constantFrom('a', 'b', 'c', '$s');
    const wanted = fc.oneof(level, fc.constantFrom('+', '*', '#'));
    fc.assert(
      fc.property(
        fc.array(wanted, { minLength: 1, maxLength: 8 }),
        fc.array(level, { minLength: 1, maxLength: 9 }),
        (pattern, topic) => {
          if (pattern.filter((entry) => entry === '*' || entry === '#').length > 3) return;
          const expected = bruteForceMatch(pattern, topic);
          expect(matches(pattern.join('/'), topic.join('.'))).toBe(expected);
          expect(compilePatterns([pattern.join('.')])(topic.join('/'))).toBe(expected);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('takes few steps for the worst pattern that is allowed', () => {
    let steps = 0;
    const levels = new Proxy(parsePattern(`#/a/#/a/#/${Array(20).fill('a').join('/')}/b`, DEFAULT_LIMITS).levels, {
      get(target, key, receiver) {
        steps++;
        return Reflect.get(target, key, receiver);
      },
    });
    expect(matchesPattern({ text: '', canonical: '', levels }, Array(32).fill('a').join('/'))).toBe(false);
    expect(steps).toBeLessThan(32 * 32);
  });
});

describe('parsePattern', () => {
  it('keeps the spelling and separates the levels', () => {
    expect(parsePattern('a.b/*', DEFAULT_LIMITS)).toEqual({
      text: 'a.b/*',
      canonical: 'a/b/*',
      levels: ['a', 'b', '*'],
    });
  });

  it.each([
    '',
    '/',
    'a//b',
    'a*',
    'a/b#',
    '**',
    '+a',
    'a/##/b',
    '#/a/#/b/#/c/#',
    '*/*/*/*',
    'a\u0001',
    'x'.repeat(501),
    Array(33).fill('+').join('/'),
  ])('refuses %j', (text) => {
    expect(refusal(() => parsePattern(text, DEFAULT_LIMITS, '/topic'))).toBe('invalid_pattern at /topic');
  });
});

it('says what to write instead of a wildcard inside a level, without repeating a long one', () => {
  const words = (pattern: string) => {
    try {
      parsePattern(pattern, DEFAULT_LIMITS);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(words('proj*')).toContain('write "proj.*" for all below proj');
  expect(words(`${'a'.repeat(300)}*`).length).toBeLessThan(250);
});
