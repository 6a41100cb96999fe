import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { parsePattern } from '../../src/topic/pattern.ts';
import { PatternIndex } from '../../src/topic/pattern-index.ts';
import { bruteForceMatch } from './brute-force-match.ts';

const pattern = (text: string) => parsePattern(text, DEFAULT_LIMITS);

const level = fc.constantFrom('a', 'b', '$s');
const patternText = fc
  .array(fc.oneof(level, fc.constantFrom('+', '*', '#')), { minLength: 1, maxLength: 5 })
  .filter((levels) => levels.filter((entry) => entry === '*' || entry === '#').length <= 3)
  .map((levels) => levels.join('/'));
const topicText = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'));

describe('PatternIndex', () => {
  it('answers as trying every pattern would, through any sequence of changes and questions', () => {
    const step = fc.record({
      change: fc.constantFrom('add', 'add', 'remove'),
      text: patternText,
      value: fc.integer({ min: 0, max: 5 }),
      topics: fc.array(topicText, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const index = new PatternIndex<number>();
        const pairs = new Map<string, { text: string; value: number }>();
        for (const { change, text, value, topics } of steps) {
          index[change as 'add' | 'remove'](pattern(text), value);
          if (change === 'add') pairs.set(`${text} ${value}`, { text, value });
          else pairs.delete(`${text} ${value}`);
          for (const topic of topics) {
            const expected = [...pairs.values()]
              .filter((pair) => bruteForceMatch(pair.text.split('/'), topic.split('/')))
              .map((pair) => pair.value);
            expect([...index.match(topic)].sort()).toEqual([...new Set(expected)].sort());
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('remembers answers, and forgets them when a pattern comes or goes', () => {
    const index = new PatternIndex<string>();
    expect(index.match('a/b')).toEqual([]);
    index.add(pattern('a/*'), 'x');
    const answer = index.match('a/b');
    expect(answer).toEqual(['x']);
    expect(index.match('a/b')).toBe(answer);
    index.remove(pattern('a.*'), 'x');
    expect(index.match('a/b')).toEqual([]);
  });

  it('answers rightly after more topics than it remembers', () => {
    const index = new PatternIndex<number>();
    index.add(pattern('t/+'), 1);
    for (let topic = 0; topic < 10_050; topic++) index.match(`t/${topic}`);
    expect(index.match('t/0')).toEqual([1]);
    expect(index.match('u/0')).toEqual([]);
  });
});
