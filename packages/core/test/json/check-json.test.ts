import { describe, expect, it } from 'vitest';
import { checkJson } from '../../src/json/check-json.ts';
import { refusal } from '../refusal.ts';

const check = (value: unknown) => checkJson(value, { depthMax: 8, pointer: '/payload' });

class Point {
  readonly x = 1;
}
class Money {
  toJSON() {
    return { amount: '1.50' };
  }
}

describe('checkJson', () => {
  it('passes what JSON keeps, and says that stringify will write exactly that', () => {
    const value = { a: [1, -0, 'x', null, true], when: new Date(0), gone: undefined, bare: Object.create(null) };
    expect(check(value)).toBe(true);
  });

  it('passes what converts itself, and says that the text has to be looked at', () => {
    expect(check({ price: new Money() })).toBe(false);
  });

  it.each([
    [{ a: [1, undefined] }, '/a/1'],
    [{ a: () => 1 }, '/a'],
    [{ a: Symbol('s') }, '/a'],
    [{ a: 1n }, '/a'],
    [{ a: Number.NaN }, '/a'],
    [[[Number.NEGATIVE_INFINITY]], '/0/0'],
    [{ a: new Map([[1, 2]]) }, '/a'],
    [{ a: new Point() }, '/a'],
    [{ a: new Date(Number.NaN) }, '/a'],
    [{ a: 'x\0' }, '/a'],
    [{ 'k\0': 1 }, '/k\0'],
    [{ a: '\ud800' }, '/a'],
    [{ 'x/y': { '~': Number.NaN } }, '/x~1y/~0'],
    [JSON.parse('{"a":{"__proto__":1}}'), '/a/__proto__'],
    [{ a: { toJSON: () => undefined } }, '/a'],
    [{ a: { toJSON: () => new Point() } }, '/a'],
  ])('refuses value %# and says where', (value, pointer) => {
    expect(refusal(() => check(value))).toBe(`invalid_event at /payload${pointer}`);
  });

  it('ends cycles and depth with an error that names the place, never with a stack overflow', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(refusal(() => check(loop))).toBe(`too_deep at /payload${'/self'.repeat(8)}`);
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(refusal(() => check(deep))).toBe(`too_deep at /payload${'/0'.repeat(8)}`);
    const convertible = { toJSON: () => ({ convertible }) };
    expect(refusal(() => check({ convertible }))).toMatch(/^too_deep at/);
  });
});
