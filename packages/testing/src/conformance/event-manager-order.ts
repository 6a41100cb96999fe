import type { Event, EventManager, JsonObject, KeysRequest } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';

/** Events of one key, one after the other. */
export function orderConformance(start: StartEventManager): void {
  describe('keys that keep their order', () => {
    block(start);
    park(start);
    skip(start);
  });
}

function block(start: StartEventManager): void {
  it('makes later events of a key wait for a failed one, and no others', async () => {
    const { events } = await start();
    const receiver = await receiving(events, { order: 'key' }, 'a1');
    await publish(events, 'a1', 'a2', 'b1', 'a3');
    await until('the others are delivered', () => receiver.seen.includes('b1'));
    await until('the key waits', async () => (await events.listKeys(receiver.id))[0]?.waiting === 2);
    expect(await events.listKeys(receiver.id)).toEqual([{ key: 'a', state: 'blocked', waiting: 2 }]);
    const { options, status } = await events.getSubscription(receiver.id);
    expect(options).toMatchObject({ order: 'key' });
    expect(status).toMatchObject({ blockedKeys: 1, parkedKeys: 0 });
    receiver.failing.clear();
    await until('all are delivered', () => receiver.taken.length === 4);
    expect(receiver.taken.filter((n) => n.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    await until('nothing waits', async () => (await events.listKeys(receiver.id)).length === 0);
  });

  it('orders by a path of the payload, and by topic', async () => {
    const { events } = await start();
    const byPath = await receiving(events, { order: 'key', orderingKey: 'payload.customer.id' }, 'x1');
    const byTopic = await receiving(events, { order: 'topic' }, 'x1');
    await publish(events, 'x1');
    await events.publish({ ...event('y2'), payload: { n: 'y2', customer: { id: 'x' } } });
    await until('the key waits', async () => (await events.listKeys(byPath.id))[0]?.waiting === 1);
    await until('the topic waits', async () => (await events.listKeys(byTopic.id))[0]?.waiting === 1);
    expect([byPath.taken, byTopic.taken]).toEqual([[], []]);
    expect((await events.listKeys(byTopic.id))[0]!.key).toBe('order/changed');
  });

  it('refuses what it does not know', async () => {
    const { events } = await start();
    const refused: [JsonObject, string][] = [
      [{ order: 'newest' }, '/options/order'],
      [{ order: 'key', orderingKey: 'topic' }, '/options/orderingKey'],
      [{ order: 'key', orderingKey: 'payload..id' }, '/options/orderingKey'],
      [{ order: 'key', onFailure: 'forget' }, '/options/onFailure'],
    ];
    for (const [options, pointer] of refused) {
      const subscribing = events.subscribe({ topic: '#', handler: () => {}, options });
      await expect(subscribing).rejects.toMatchObject({ code: 'invalid_subscription', details: { pointer } });
    }
  });
}

function park(start: StartEventManager): void {
  it('parks a key after its dead letter until it is released', async () => {
    const { events } = await start();
    const receiver = await receiving(events, { order: 'key', onFailure: 'park', retryPolicy: { maxRetries: 0 } }, 'a1');
    await publish(events, 'a1', 'a2', 'b1');
    await until('the others are delivered', () => receiver.taken.includes('b1'));
    await until('the key is parked', async () => (await events.listKeys(receiver.id))[0]?.waiting === 1);
    await until('the letter is durable', async () => (await events.listDeadLetters(receiver.id)).length === 1);
    const [letter] = await events.listDeadLetters(receiver.id);
    const [parked] = await events.listKeys(receiver.id, { state: 'parked' });
    expect(await events.listKeys(receiver.id, { state: 'blocked' })).toEqual([]);
    const request = { state: 'free' } as unknown as KeysRequest;
    await expect(events.listKeys(receiver.id, request)).rejects.toMatchObject({ code: 'invalid_query' });
    expect(parked).toMatchObject({ key: 'a', state: 'parked', waiting: 1, deadLetterId: letter!.id });
    expect(parked!.parkedAtMs).toBeGreaterThan(0);
    expect(await events.releaseKey(receiver.id, 'a')).toMatchObject({ key: 'a', state: 'parked', waiting: 1 });
    await until('the rest is delivered', () => receiver.taken.includes('a2'));
    await until('nothing waits', async () => (await events.listKeys(receiver.id)).length === 0);
    expect(await events.releaseKey(receiver.id, 'a')).toEqual({ key: 'a', state: 'free', waiting: 0 });
    await expect(events.releaseKey(NOBODY, 'a')).rejects.toMatchObject({ code: 'subscription_not_found' });
    await expect(events.listKeys(NOBODY)).rejects.toMatchObject({ code: 'subscription_not_found' });
  });

  it('releases all parked keys at once', async () => {
    const { events } = await start();
    const options = { order: 'key', onFailure: 'park', retryPolicy: { maxRetries: 0 } };
    const receiver = await receiving(events, options, 'a1', 'b1', 'c1');
    await publish(events, 'a1', 'a2', 'b1', 'a3', 'c1', 'c2');
    const parked = async () => (await events.listKeys(receiver.id, { state: 'parked' })).map(({ waiting }) => waiting);
    await until('the keys are parked', async () => (await parked()).join() === '2,0,1');
    expect(await events.releaseKeys(receiver.id)).toEqual({ released: 3, waiting: 3 });
    await until('the rest is delivered', () => receiver.taken.length === 3);
    await until('nothing waits', async () => (await events.listKeys(receiver.id)).length === 0);
    expect(await events.releaseKeys(receiver.id)).toEqual({ released: 0, waiting: 0 });
    await expect(events.releaseKeys(NOBODY)).rejects.toMatchObject({ code: 'subscription_not_found' });
  });
}

function skip(start: StartEventManager): void {
  it('skips a failed event without a retry', async () => {
    const { events } = await start();
    const receiver = await receiving(events, { order: 'key', onFailure: 'skip' }, 'a1');
    await publish(events, 'a1', 'a2');
    await until('the next one is delivered', () => receiver.taken.includes('a2'));
    await until('there is a dead letter', async () => (await events.listDeadLetters(receiver.id)).length === 1);
    expect(receiver.seen).toEqual(['a1', 'a2']);
  });
}

async function receiving(events: EventManager, options: JsonObject, ...failing: string[]) {
  const receiver = { id: '', seen: [] as string[], taken: [] as string[], failing: new Set(failing) };
  const handler = ({ payload }: Event) => {
    const n = payload['n'] as string;
    receiver.seen.push(n);
    if (receiver.failing.has(n)) return { success: false, error: 'not now' };
    receiver.taken.push(n);
    return undefined;
  };
  const retryPolicy = { maxRetries: 1_000, backoffStrategy: 'fixed', initialDelay: 20, maxDelay: 20 } as const;
  const name = `order-${JSON.stringify(options)}`;
  const all = { maxConcurrency: 4, retryPolicy, ...options };
  receiver.id = (await events.subscribe({ topic: 'order/#', name, handler, options: all })).id;
  return receiver;
}

async function publish(events: EventManager, ...names: string[]): Promise<void> {
  for (const n of names) await events.publish(event(n));
}

/** The key of `a1` is `a`. */
function event(n: string) {
  const key = n.slice(0, 1);
  const payload = { n, customer: { id: key } };
  return { type: 'order.changed', source: 'shop', metadata: { orderingKey: key }, payload };
}
