import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEventManagerError } from '../../src/errors/event-manager-error.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { isReserved, parseTopic } from '../../src/topic/topic.ts';

function reason(text: string): unknown {
  try {
    parseTopic(text, DEFAULT_LIMITS);
  } catch (error) {
    if (isEventManagerError(error, 'invalid_topic')) return error.details['reason'];
    throw error;
  }
  return undefined;
}

describe('parseTopic', () => {
  it('joins levels by a slash, whichever separator was used', () => {
    expect(parseTopic('project.member/added', DEFAULT_LIMITS)).toBe('project/member/added');
    expect(parseTopic('task_created', DEFAULT_LIMITS)).toBe('task_created');
    expect(parseTopic('Ünï/日本 語/🙂', DEFAULT_LIMITS)).toBe('Ünï/日本 語/🙂');
  });

  it.each([
    ['', 'empty'],
    ['/a', 'empty-level'],
    ['a/', 'empty-level'],
    ['a..b', 'empty-level'],
    ['a./b', 'empty-level'],
    ['.', 'empty-level'],
    ['a/*', 'wildcard'],
    ['#', 'wildcard'],
    ['a/b+c', 'wildcard'],
    ['a\0b', 'control-character'],
    ['a\nb', 'control-character'],
    ['a\u0085b', 'control-character'],
    ['a\ud800', 'half-surrogate'],
    ['x'.repeat(501), 'too-long'],
    [Array(33).fill('x').join('/'), 'too-many-levels'],
  ])('refuses %j: %s', (text, expected) => {
    expect(reason(text)).toBe(expected);
  });

  it('takes exactly the longest and the deepest topic that the limits allow', () => {
    expect(reason('x'.repeat(500))).toBeUndefined();
    expect(reason(Array(32).fill('x').join('.'))).toBeUndefined();
  });

  it('is idempotent, whatever the text: the canonical form is a topic itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        if (reason(text) !== undefined) return;
        const canonical = parseTopic(text, DEFAULT_LIMITS);
        expect(parseTopic(canonical, DEFAULT_LIMITS)).toBe(canonical);
        expect(canonical).not.toContain('.');
      }),
    );
  });
});

it('reserves the $sys root and nothing that only looks like it', () => {
  expect(['$sys', '$sys/a'].map(isReserved)).toEqual([true, true]);
  expect(['$system', 'a/$sys', '$SYS/a', 'sys'].map(isReserved)).toEqual([false, false, false, false]);
});
