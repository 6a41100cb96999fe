import type { Event, EventManager } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'shop' };
const AT_ONCE = { backoffStrategy: 'fixed', initialDelay: 1, maxDelay: 1, jitter: false } as const;
const LONG_MS = 600_000;

/** Receivers that fail and fail. */
export function failureConformance(start: StartEventManager): void {
  describe('a receiver that fails', () => {
    breakers(start);
    ends(start);
    letters(start);
  });
}

function breakers(start: StartEventManager): void {
  it('is left alone while its breaker is open, spends nothing, and gets everything once it is resumed', async () => {
    const { events } = await start();
    const receiver = await failing(events, { breaker: { failures: 3, openMs: LONG_MS } });
    for (let n = 0; n < 20; n++) await events.publish(EVENT);
    await until('the breaker opens', async () => (await receiver.status()).receiver?.breaker === 'open');
    const { receiver: shown, counts } = await receiver.status();
    expect(shown).toMatchObject({ breaker: 'open', failuresInARow: 3 });
    expect(Date.parse(shown!.attemptsAgainAt!)).toBeGreaterThan(Date.parse(shown!.failingSince!));
    expect(counts).toMatchObject({ failed: 3, retried: 3, deadLettered: 0 });
    receiver.isDown = false;
    await events.resumeSubscription(receiver.id);
    await until('all are delivered', async () => (await receiver.status()).counts.delivered === 20);
    expect((await receiver.status()).receiver).toEqual({ breaker: 'closed', failuresInARow: 0 });
    expect(await events.listDeadLetters()).toEqual([]);
  });

  it('is tried again by itself after a while, by one delivery', async () => {
    const { events } = await start();
    const receiver = await failing(events, { breaker: { failures: 3, openMs: 50 } });
    for (let n = 0; n < 5; n++) await events.publish(EVENT);
    await until('the breaker opens', async () => (await receiver.status()).receiver?.breaker === 'open');
    receiver.isDown = false;
    await until('all are delivered', async () => (await receiver.status()).counts.delivered === 5);
    expect((await receiver.status()).receiver).toMatchObject({ breaker: 'closed' });
  });

  it('has no breaker unless it asked for one or has an endpoint', async () => {
    const { events } = await start();
    const receiver = await failing(events, {});
    expect(await receiver.status()).not.toHaveProperty('receiver');
  });
}

function ends(start: StartEventManager): void {
  it('is stopped after nothing but failures for as long as it said, which says why, and resumed', async () => {
    const { events } = await start();
    const receiver = await failing(events, { disableAfterMs: 100 });
    await events.publish(EVENT);
    await until('it is stopped', async () => (await events.getSubscription(receiver.id)).state === 'stopped');
    const { stoppedReason, status } = await events.getSubscription(receiver.id);
    expect(stoppedReason).toMatchObject({ code: 'failing', message: expect.stringContaining('down') });
    expect(stoppedReason!.atMs).toBeGreaterThan(0);
    expect(status).toMatchObject({ state: 'stopped', owed: 1 });
    receiver.isDown = false;
    expect(await events.resumeSubscription(receiver.id)).not.toHaveProperty('stoppedReason');
    await until('it is delivered', async () => (await receiver.status()).counts.delivered === 1);
  });

  it.each([
    [{ breaker: { failures: 0 } }, '/options/breaker/failures'],
    [{ disableAfterMs: -1 }, '/options/disableAfterMs'],
    [{ useDLQ: 1 }, '/options/useDLQ'],
  ])('is refused with options that say nothing: %j', async (options, pointer) => {
    const { events } = await start();
    const asked = events.subscribe({ topic: '#', handler: () => {}, options: options as object });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_subscription', details: { pointer } });
  });
}

function letters(start: StartEventManager): void {
  it.each([
    ['deadLetterTopic', { deadLetterTopic: 'orders.failed' }, 1],
    ['dlqTopic and useDLQ', { dlqTopic: 'orders.failed', useDLQ: true }, 1],
    ['dlqTopic without useDLQ', { dlqTopic: 'orders.failed', useDLQ: false }, 0],
    ['dead_letter_topic', { dead_letter_topic: 'orders/failed', use_dlq: true }, 1],
  ])('is told of on the topic that it names, or not: %s', async (_what, options, times) => {
    const { events } = await start();
    const told: Event[] = [];
    await events.subscribe({ topic: 'orders.failed', handler: (event) => void told.push(event) });
    const refused = { success: false, retry: false, error: 'no account' };
    const { id } = await events.subscribe({ topic: '#', handler: () => refused, options });
    const published = await events.publish({ ...EVENT, payload: { total: 5 } });
    await until('the letter is there', async () => (await events.listDeadLetters(id)).length === 1);
    await until('it is told', () => told.length === times);
    // What comes after it would have come after that, too; and it is never owed to the one who gave up.
    await events.publish({ ...EVENT, topic: 'orders/failed', payload: { last: true } });
    await until('the last one arrives', () => told.some(({ payload }) => payload['last'] === true));
    expect(told).toHaveLength(times + 1);
    const [letter] = await events.listDeadLetters(id);
    expect(letter).toMatchObject({ eventId: published.id, reason: 'no account' });
    if (times === 1) {
      expect(told[0]).toMatchObject({
        causationId: published.id,
        payload: { total: 5 },
        metadata: { failureReason: 'no account', deadLetterId: letter!.id, deadLetterOf: id },
      });
    }
  });

  it('says more than an error, which is kept with each attempt', async () => {
    const { events } = await start();
    let attempt = 0;
    const { id } = await events.subscribe({
      topic: '#',
      options: { retryPolicy: { ...AT_ONCE, maxRetries: 1 } },
      handler: () => ({
        success: false,
        error: 'no',
        metadata: ++attempt === 1 ? { shelf: 7 } : { huge: 'x'.repeat(2_000) },
      }),
    });
    await events.publish(EVENT);
    await until('the letter is there', async () => (await events.listDeadLetters(id)).length === 1);
    const [letter] = await events.listDeadLetters(id);
    expect(letter!.errors.map(({ metadata }) => metadata)).toEqual([{ shelf: 7 }, undefined]);
  });

  it('is tried as often as the event says, whatever the subscription says', async () => {
    const { events } = await start();
    const receiver = await failing(events, { retryPolicy: { ...AT_ONCE, maxRetries: 2 } });
    await events.publish({ ...EVENT, metadata: { maxRetries: 0 } });
    await events.publish({ ...EVENT, metadata: { maxRetries: 4 } });
    await events.publish(EVENT);
    await until('all are dead', async () => (await events.listDeadLetters(receiver.id)).length === 3);
    expect((await events.listDeadLetters(receiver.id)).map(({ attempts }) => attempts)).toEqual([1, 5, 3]);
  });
}

/** A handler that fails until it is told otherwise. */
async function failing(events: EventManager, options: object) {
  const retryPolicy = { ...AT_ONCE, maxRetries: 1_000 };
  const receiver = {
    isDown: true,
    id: '',
    status: async () => (await events.getSubscription(receiver.id)).status,
  };
  const { id } = await events.subscribe({
    topic: 'order.*',
    options: { maxConcurrency: 1, retryPolicy, ...options },
    handler() {
      if (receiver.isDown) throw new TypeError('down');
    },
  });
  receiver.id = id;
  return receiver;
}
