import { describe, expect, it } from 'vitest';
import { EventManagerError } from '../../src/errors/event-manager-error.ts';
import { parseFilter } from '../../src/filter/filter.ts';
import { foreignKeyOf, meantBy } from '../../src/filter/foreign-operators.ts';
import { OPERATORS } from '../../src/filter/operators.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';

const parse = (input: unknown) => parseFilter(input, DEFAULT_LIMITS, '/filter');

/** Where the filter was refused and with which words. */
function refused(input: unknown): { pointer: unknown; message: string } {
  try {
    return { pointer: 'nowhere', message: JSON.stringify(parse(input)) };
  } catch (error) {
    if (!(error instanceof EventManagerError)) throw error;
    return { pointer: error.details['pointer'], message: error.message };
  }
}

/** Each of these was compared as an object with what the event has, and matched nothing. */
describe('an operator of another filter', () => {
  it.each([
    ['startsWith', 'prefix'],
    ['starts_with', 'prefix'],
    ['StringBeginsWith', 'prefix'],
    ['endsWith', 'suffix'],
    ['contains', 'wildcard'],
    ['regex', 'no regular expressions'],
    ['$regex', 'no regular expressions'],
    ['pattern', 'wildcard'],
    ['like', 'wildcard'],
    ['$eq', 'equals'],
    ['_eq', 'equals'],
    ['$ne', 'anythingBut'],
    ['not', 'anythingBut'],
    ['notIn', 'anythingBut'],
    ['$in', 'a list of values'],
    ['oneOf', 'a list of values'],
    ['$gt', 'numeric'],
    ['gte', 'numeric'],
    ['greaterThan', 'numeric'],
    ['less_than_or_equal_to', 'numeric'],
    ['NumberLessThan', 'numeric'],
    ['between', 'numeric'],
    ['$exists', 'exists'],
    ['isNull', 'exists'],
    ['$elemMatch', 'those there are: equals'],
    ['Prefix', 'prefix'],
    ['sufix', 'suffix'],
    ['prefxi', 'prefix'],
    ['anythingbut', 'anythingBut'],
    ['wildcards', 'wildcard'],
    ['EXISTS', 'exists'],
  ])('%s is refused where it stands, and what is meant is named: %s', (name, meant) => {
    const { pointer, message } = refused({ payload: { 'order.total': { [name]: 5 } } });
    expect(pointer).toBe(`/filter/payload/order.total/${name}`);
    expect(message).toContain(meant);
    expect(refused({ metadata: { a: ['x', { [name]: 5 }] } }).pointer).toBe(`/filter/metadata/a/1/${name}`);
    expect(refused({ payload: { order: { total: { [name]: 5 } } } }).pointer).toBe(
      `/filter/payload/order/total/${name}`,
    );
    expect(refused({ tags: [{ [name]: 'x' }] })).toMatchObject({ pointer: `/filter/tags/0/${name}` });
    expect(refused({ tags: [{ [name]: 'x' }] }).message).toContain(meant);
  });

  it('is refused beside others and beside real ones', () => {
    expect(refused({ payload: { total: { min: 1, max: 5 } } }).pointer).toBe('/filter/payload/total/min');
    expect(refused({ payload: { a: { prefix: 'x', endsWith: 'y' } } }).message).toContain('suffix asks that');
  });

  it('is refused where a path stands', () => {
    expect(refused({ payload: { $and: [{ a: 1 }] } }).pointer).toBe('/filter/payload/$and');
    expect(refused({ metadata: { $not: { a: 1 } } }).pointer).toBe('/filter/metadata/$not');
  });

  it('may be the name of a field all the same: alone by `equals`, and beside other fields by itself', () => {
    for (const value of [
      { min: 1, max: 5 },
      { $ref: '#/a', type: 'x' },
      { rule: { startsWith: 'a' } },
      { regex: 'a' },
    ]) {
      const kept = { payload: { a: { equals: value } } };
      expect(parse(kept)).toEqual(kept);
      expect(parse(parse(kept))).toEqual(kept);
    }
    const range = { payload: { price: { currency: 'EUR', min: 1, max: 5 }, in: 'x', 'b.not': 1 } };
    expect(parse(range)).toEqual(range);
    expect(parse({ payload: { a: { equals: { b: 1 } } } })).toEqual({ payload: { a: { b: 1 } } });
  });
});

it('takes no operator, and no usual name of a field, for a foreign one', () => {
  for (const name of OPERATORS) expect(meantBy(name)).toBeUndefined();
  const usual = [
    'id',
    'name',
    'type',
    'value',
    'status',
    'country',
    'amount',
    'currency',
    'from',
    'to',
    'city',
    'code',
    '1',
  ];
  for (const name of [...usual, '', 'x'.repeat(100), 'constructor', 'toString'])
    expect(meantBy(name), name).toBeUndefined();
  expect(foreignKeyOf({})).toBeUndefined();
});
