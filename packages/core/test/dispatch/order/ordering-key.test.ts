import { describe, expect, it } from 'vitest';
import { KeptEvent } from '../../../src/dispatch/kept-event.ts';
import { isOrder, keyReader, meaningAfter } from '../../../src/dispatch/order/ordering-key.ts';
import { HAS_ORDERING_KEY } from '../../../src/event/flags.ts';

function kept(event: { payload?: object; metadata?: object }, flags = HAS_ORDERING_KEY): KeptEvent {
  const body = Buffer.from(JSON.stringify({ id: 'x', timestamp: 0, metadata: {}, payload: {}, ...event }));
  const place = { partition: 0, position: 1 };
  return new KeptEvent({ id: 'x', place, recordedAtMs: 0, topic: 'order/created', lane: 2, flags, body });
}

describe('the key of an event', () => {
  it('means something in a definition alone', () => {
    expect(meaningAfter(undefined, {})).toBeUndefined();
    expect(meaningAfter(undefined, { order: 'topic' })).toBe('topic');
    expect(meaningAfter(undefined, { order: 'key' })).toBe('key');
    expect(meaningAfter(undefined, { order: 'key', orderingKey: 'payload.a.b' })).toBe('key:payload.a.b');
  });

  it('means something else once the order was changed and came back, and the same while it stays', () => {
    const changes = [{ order: 'key' }, {}, { order: 'key' }, { order: 'key', orderingKey: 'payload.a' }] as const;
    const meanings: (string | undefined)[] = [];
    for (const options of changes) meanings.push(meaningAfter(meanings.at(-1), options));
    expect(meanings).toEqual(['key', '1|', '2|key', '3|key:payload.a']);
    for (const [at, meaning] of meanings.entries()) expect(meaningAfter(meaning, changes[at]!)).toBe(meaning);
    expect(meanings.map(isOrder)).toEqual([true, false, true, true]);
    expect(isOrder(undefined)).toBe(false);
    expect(isOrder('key:payload.a|')).toBe(true);
  });

  it.each([
    ['topic', { metadata: { orderingKey: 'k' } }, 'order/created'],
    ['12|topic', { metadata: { orderingKey: 'k' } }, 'order/created'],
    ['2|key:payload.a', { payload: { a: '1|2' } }, '1|2'],
    ['key', { metadata: { orderingKey: 'k' } }, 'k'],
    ['key', {}, 'order/created'],
    ['key:payload.a.b', { payload: { a: { b: 'deep' } } }, 'deep'],
    ['key:payload.a', { payload: { a: 12.5 } }, '12.5'],
    ['key:payload.a', { payload: { a: false } }, 'false'],
    ['key:metadata.tenant', { metadata: { tenant: 't', orderingKey: 'k' } }, 't'],
    ['key:payload.a', { payload: { a: null }, metadata: { orderingKey: 'k' } }, 'k'],
    ['key:payload.a', { payload: { a: '' }, metadata: { orderingKey: 'k' } }, 'k'],
    ['key:payload.a', { payload: { a: {} } }, 'order/created'],
    ['key:payload.a.length', { payload: { a: 'text' } }, 'order/created'],
    ['key:payload.constructor.name', {}, 'order/created'],
  ])('%s of %j is %s', (meaning, event, key) => {
    expect(keyReader(meaning)(kept(event))).toBe(key);
  });

  it('is the topic where an older version kept metadata that it did not know', () => {
    expect(keyReader('key')(kept({ metadata: { orderingKey: 'k' } }, 0))).toBe('order/created');
  });

  it('is shortened when it is long, and long ones that differ stay different', () => {
    const read = keyReader('key:payload.a');
    const [one, other] = ['x', 'y'].map((end) => read(kept({ payload: { a: `${'long '.repeat(100)}${end}` } })));
    expect(one).not.toBe(other);
    expect(one!.length).toBeLessThanOrEqual(255);
    expect(read(kept({ payload: { a: 'x'.repeat(255) } }))).toBe('x'.repeat(255));
  });
});
