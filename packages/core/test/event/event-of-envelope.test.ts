import { isDeepStrictEqual } from 'node:util';
import { ANONYMOUS, DEFAULT_LIMITS, decodeEvent, EventManager, normalize } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventOfEnvelope } from '../../src/event/event-of-envelope.ts';

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  fc.constantFrom('plain', 'with "quotes"', ',"payload":', '\\', 'ä', '🙂', 'a\tb'),
);
const eventIn = fc.record(
  {
    type: text,
    source: text,
    topic: fc.constantFrom('a/b', 'a.b', 'ü'),
    version: text,
    correlationId: text,
    causationId: text,
    priority: fc.constantFrom(0, 1, 2, 3),
    timestamp: fc.integer({ min: 0, max: 4e12 }),
    payload: fc.dictionary(text, fc.jsonValue({ maxDepth: 3 })),
  },
  { requiredKeys: ['type', 'source', 'topic'] },
);

it('is the event that its body is, to the last field and in their order', () => {
  let made = 0;
  fc.assert(
    fc.property(eventIn, (input) => {
      const normalized = normalizedOf(input);
      if (!normalized) return;
      made++;
      const { envelope, timestampMs, body } = normalized;
      const event = eventOfEnvelope({ envelope: envelope!, timestampMs }, body);
      const read = decodeEvent(body);
      // That of vitest takes a payload with a key `constructor` for an instance of something.
      expect(isDeepStrictEqual(event, read)).toBe(true);
      expect(JSON.stringify(event)).toBe(JSON.stringify(read));
      expectFrozen(event);
    }),
    { numRuns: 2_000 },
  );
  expect(made).toBeGreaterThan(500);
});

it('has no short way where a publisher says something in the metadata', () => {
  const input = { type: 'a', source: 'b', payload: {}, metadata: { ',"payload":': 1 } };
  expect(normalizedOf(input)?.envelope).toBeUndefined();
});

it('is nothing that the publisher can change afterwards', async () => {
  await using events = new EventManager();
  const received: unknown[] = [];
  await events.subscribe({ topic: '#', handler: ({ payload }) => void received.push(payload) });
  const payload = { list: [1] };
  const published = events.publish({ type: 'a', source: 'b', payload });
  payload.list.push(2);
  await published;
  expect(received).toEqual([{ list: [1] }]);
  expect(received[0]).not.toBe(payload);
});

function normalizedOf(input: object) {
  const nextId = () => 'f47ac10b-58cc-4372-a567-0e02b2c3d479';
  try {
    return normalize(input, { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId, nowMs: 1_700_000_000_123 });
  } catch {
    // What is refused has no body.
    return undefined;
  }
}

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  // A Date cannot be frozen to any effect.
  if (!(value instanceof Date)) expect(Object.isFrozen(value)).toBe(true);
  for (const inner of Object.values(value)) expectFrozen(inner);
}
