import type { JsonObject } from '@event-manager/core';
import { expect, it } from 'vitest';
import { DELIVERED, failure, rejection, type Seen } from './local-queue-receiver.ts';
import { everySecond, type QueueRig, type StartRig } from './local-queue-rig.ts';

const KEYED = { order: 'key', orderingKey: 'payload.key', maxConcurrency: 4, breaker: false };

/** Keys whose events come one after the other: what is durable of them, and that it is enough. */
export function keyConformance(start: StartRig): void {
  it('keeps the order of a blocked key over ends of every kind, and holds up no other key', async () => {
    const rig = await start({ options: { ...KEYED, retryPolicy: everySecond(1_000) } });
    rig.receiver.answer = (seen) => (keyOf(seen) === 'a' ? failure('not yet') : DELIVERED);
    await publish(rig, 'aabaa');
    await rig.elapse(1_500);
    await rig.restart();
    await publish(rig, 'ab');
    await rig.elapse(1_500);
    await rig.crash();
    await rig.open();
    await rig.elapse(1_500);
    expect(firstOf(rig, 'b')).toEqual([3, 7]);
    expect(firstOf(rig, 'a')).toEqual([1]);
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    expect(firstOf(rig, 'a')).toEqual([1, 2, 4, 5, 6]);
    expect(rig.receiver.repeatedNumbers).toEqual([]);
    expect(await keptKeys(rig)).toEqual([]);
  });

  it('reads back what waits behind an event, more than memory holds, each once and in order', async () => {
    const limits = { laneEntriesMax: 8, queueMaxSize: 8 };
    const rig = await start({ limits, options: { ...KEYED, inFlightMax: 8, retryPolicy: everySecond(1_000) } });
    rig.receiver.answer = (seen) => (numberOf(seen) === 1 ? failure('not yet') : DELIVERED);
    for (let round = 0; round < 6; round++) await publish(rig, 'ab'.repeat(25));
    await rig.elapse(1_500);
    await rig.restart();
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    const odd = Array.from({ length: 150 }, (_, at) => 2 * at + 1);
    expect(firstOf(rig, 'a')).toEqual(odd);
    expect(rig.receiver.seen.filter((seen) => keyOf(seen) === 'a' && numberOf(seen) > 1)).toHaveLength(149);
    expect(await keptKeys(rig)).toEqual([]);
  });

  it('keeps a key parked until it is released', async () => {
    const rig = await start({ options: { ...KEYED, onFailure: 'park' } });
    rig.receiver.answer = (seen) => (numberOf(seen) === 1 ? rejection('never') : DELIVERED);
    await publish(rig, 'aab');
    await rig.settled();
    await rig.crash();
    await rig.open();
    await publish(rig, 'a');
    await rig.settled();
    expect([firstOf(rig, 'a'), firstOf(rig, 'b')]).toEqual([[1], [3]]);
    const [kept] = await keptKeys(rig);
    expect(kept).toMatchObject({ key: 'a', meaning: 'key:payload.key', from: expect.any(Number), count: 2 });
    const { keys } = rig.engine.subscriptions;
    const principal = { id: 'test', kind: 'service' } as const;
    expect(await rig.run(keys.release(principal, rig.id, 'a'))).toMatchObject({ state: 'parked', waiting: 2 });
    await rig.settled();
    expect(firstOf(rig, 'a')).toEqual([1, 2, 4]);
    expect(await keptKeys(rig)).toEqual([]);
  });
}

const published = new WeakMap<QueueRig, number>();

/** One event for each letter, which is its key. */
async function publish(rig: QueueRig, keys: string): Promise<void> {
  for (const key of keys) {
    const n = (published.get(rig) ?? 0) + 1;
    published.set(rig, n);
    await rig.publish(1, { payload: { key, n } });
  }
}

function payloadOf({ body }: Seen): { key: string; n: number } {
  return (JSON.parse(body.toString()) as { payload: { key: string; n: number } }).payload;
}

function keyOf(seen: Seen): string {
  return payloadOf(seen).key;
}

function numberOf(seen: Seen): number {
  return payloadOf(seen).n;
}

/** The events of a key in the order of their first attempts. */
function firstOf(rig: QueueRig, key: string): number[] {
  return [...new Set(rig.receiver.seen.filter((seen) => keyOf(seen) === key).map(numberOf))];
}

async function keptKeys(rig: QueueRig): Promise<JsonObject[]> {
  await rig.drain();
  const { entries } = await rig.subject.state.load('blocked', { prefix: `${rig.id}/`, limit: 100 });
  return entries.map(({ value }) => value as JsonObject);
}
