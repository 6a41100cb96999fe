import { expect, it } from 'vitest';
import { sameContent } from '../../src/event/same-content.ts';

const body = (text: string) => Buffer.from(text);

it('ignores the timestamp: a publish repeated after a lost answer is a duplicate, not a conflict', () => {
  const first = body('{"id":"1","timestamp":"2026-01-01T00:00:00.000Z","payload":{"a":1}}');
  const second = body('{"id":"1","timestamp":"2026-01-01T00:00:09.000Z","payload":{"a":1}}');
  expect(sameContent(first, second)).toBe(true);
});

it('compares values, not texts: key order and number spelling say nothing', () => {
  expect(sameContent(body('{"a":1.0,"b":[1,{"c":null}]}'), body('{"b":[1,{"c":null}],"a":1}'))).toBe(true);
});

it.each([
  ['{"a":1}', '{"a":2}'],
  ['{"a":1}', '{"a":"1"}'],
  ['{"a":1}', '{"b":1}'],
  ['{"a":1}', '{"a":1,"b":1}'],
  ['{"a":[1,2]}', '{"a":[2,1]}'],
  ['{"a":[]}', '{"a":{}}'],
  ['{"a":null}', '{}'],
  ['{"a":{"toString":1}}', '{"a":{"b":1}}'],
  ['{"payload":{"timestamp":1}}', '{"payload":{"timestamp":2}}'],
])('tells %s from %s: other content under a used id must be refused', (a, b) => {
  expect(sameContent(body(a), body(b))).toBe(false);
  expect(sameContent(body(b), body(a))).toBe(false);
});
