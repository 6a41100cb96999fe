import { describe, expect, it } from 'vitest';
import { keptMetadata } from '../../src/sink/kept-metadata.ts';

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

describe('what a handler says beside its error', () => {
  it('is kept as a copy', () => {
    const given = { shelf: 7, tried: ['a', 'b'], at: new Date(0) };
    const kept = keptMetadata(given);
    expect(kept).toEqual({ shelf: 7, tried: ['a', 'b'], at: '1970-01-01T00:00:00.000Z' });
    given.tried.push('c');
    expect(kept).toMatchObject({ tried: ['a', 'b'] });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['no object', 'text'],
    ['a list', [1]],
    ['nothing in it', {}],
    ['what JSON cannot hold', { n: 1n }],
    ['a cycle', cycle],
    ['a key of the prototype', JSON.parse('{"__proto__":{"polluted":true}}')],
    ['half a character', { text: '\ud800' }],
    ['an answer that throws', { toJSON: () => cycle['none']!.toString() }],
    ['an answer that is a text', { toJSON: () => 'text' }],
    ['too much', { text: 'x'.repeat(1_024) }],
    ['too deep', JSON.parse(`${'{"a":'.repeat(20)}1${'}'.repeat(20)}`)],
  ])('is not kept when it is %s', (_what, given) => {
    expect(keptMetadata(given)).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
