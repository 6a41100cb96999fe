import { isDeepStrictEqual } from 'node:util';
import { EventManager, type EventManagerOptions, type Outcome, type WhyReason } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { describe, expect, it } from 'vitest';
import { Databases } from './support/databases.ts';
import { until } from './support/until.ts';
import { withServer } from './support/with-server.ts';

const HOUR_MS = 3_600_000;
const ENDPOINT = 'https://receiver.example/hook';
const FAILED: Outcome = { status: 'retry', error: { code: 'http_503', message: 'No.' } };
const REFUSED: Outcome = { status: 'reject', error: { code: 'http_400', message: 'Never.' } };
const RETRY = {
  maxRetries: 3,
  backoffStrategy: 'fixed',
  initialDelay: HOUR_MS,
  maxDelay: HOUR_MS,
  jitter: false,
} as const;

/** Answers by the payload of the event. */
const webhookSink: EventManagerOptions['webhookSink'] = () => ({
  deliver: async (batch) =>
    batch.map(({ record, attempt }): Outcome => {
      const { payload } = JSON.parse(Buffer.from(record.body).toString()) as { payload: { answer?: string } };
      if (payload.answer === 'fails') return FAILED;
      if (payload.answer === 'fails once' && attempt === 1) return FAILED;
      return payload.answer === 'refuses' ? REFUSED : { status: 'delivered' };
    }),
  close: async () => {},
});

interface Case {
  readonly reason: WhyReason;
  readonly request?: object;
  readonly payload?: object;
  readonly metadata?: object;
  /** Published before, on the same key. */
  readonly before?: object;
  readonly isPaused?: true;
}

const CASES: readonly Case[] = [
  { reason: 'delivered' },
  {
    reason: 'delivered',
    payload: { answer: 'fails once' },
    request: { options: { retryPolicy: { initialDelay: 20 } } },
  },
  { reason: 'topic_not_matched', request: { topic: 'invoice/#' } },
  { reason: 'priority_not_wanted', request: { options: { priority: 'CRITICAL' } } },
  {
    reason: 'filter_not_matched',
    request: { filter: { payload: { total: { numeric: ['>', 10] } } } },
    payload: { total: 7 },
  },
  { reason: 'not_relevant', request: { filter: { projectScoped: true }, context: { projectIds: ['p1'] } } },
  { reason: 'paused', isPaused: true },
  { reason: 'not_pulled', request: { endpoint: undefined } },
  { reason: 'retry_waits', payload: { answer: 'fails' }, request: { options: { retryPolicy: RETRY } } },
  { reason: 'dead_letter', payload: { answer: 'refuses' } },
  {
    reason: 'breaker_open',
    payload: { answer: 'fails' },
    request: { options: { retryPolicy: RETRY, breaker: { failures: 1 } } },
  },
  { reason: 'rate_limited', before: {}, request: { options: { rateLimitPerMinute: 1 } } },
  { reason: 'key_blocked', before: { answer: 'fails' }, request: { options: { order: 'key', retryPolicy: RETRY } } },
  { reason: 'key_parked', before: { answer: 'refuses' }, request: { options: { order: 'key', onFailure: 'park' } } },
  { reason: 'expired', metadata: { expiresAt: '2020-01-01T00:00:00Z' } },
  { reason: 'scheduled', metadata: { deliverAt: '2099-01-01T00:00:00Z' } },
];

await withServer((server) => {
  const databases = new Databases(server);

  describe('why an event did or did not come, asked at two processes on one database', () => {
    it('names the true reason at both, in the same words', { timeout: 60_000 }, async () => {
      await using database = await databases.create();
      const open = (owner: string) =>
        new EventManager({ adapter: postgres({ url: database.url, maxConnections: 4 }), owner, webhookSink });
      await using one = open('one');
      await using two = open('two');
      await two.getHealth();
      for (const [at, situation] of CASES.entries()) {
        const { subscriptionId, eventId } = await setUp(one, situation, `${at}`);
        // A process that has just begun has not heard of the other one yet, and says so; the end of a pause is known to a millisecond or so.
        await until(`both say ${situation.reason} in the same words (${at})`, async () => {
          const answers = await Promise.all([one, two].map((bus) => bus.why(subscriptionId, eventId)));
          return (
            answers.every(({ reason }) => reason === situation.reason) && isDeepStrictEqual(answers[0], answers[1])
          );
        });
        const { deliveries } = await deliveriesAt(two, eventId);
        if (deliveries)
          expect(deliveries.find((each) => each.subscriptionId === subscriptionId)?.reason ?? 'none').toBe(
            situation.reason === 'topic_not_matched' ? 'none' : situation.reason,
          );
        await one.unsubscribe(subscriptionId);
      }
    });
  });
});

async function setUp(bus: EventManager, situation: Case, key: string) {
  const { request = {}, payload = {}, metadata = {}, before, isPaused } = situation;
  const { options = {}, ...rest } = request as { options?: object };
  const event = (body: object, more: object) => ({
    ...{ type: 'order.created', source: 'shop', topic: `order/${key}`, payload: body },
    metadata: { orderingKey: key, ...more },
  });
  const subscription = await bus.subscribe({
    ...{ topic: 'order/#', name: `s${key}`, endpoint: ENDPOINT, options: { breaker: false, ...options } },
    ...rest,
  } as never);
  if (isPaused) await bus.pauseSubscription(subscription.id);
  if (before) {
    const { id } = await bus.publish(event(before, {}) as never);
    await until('the one before was attempted', async () => {
      const { reason } = await bus.why(subscription.id, id);
      return reason !== 'waiting' && reason !== 'under_way' && reason !== 'unserved';
    });
  }
  const { id: eventId } = await bus.publish(event(payload, metadata) as never);
  return { subscriptionId: subscription.id, eventId };
}

/** `{}` for an event that is not stored. */
async function deliveriesAt(
  bus: EventManager,
  eventId: string,
): Promise<{ deliveries?: Awaited<ReturnType<EventManager['listDeliveries']>>['deliveries'] }> {
  try {
    return await bus.listDeliveries(eventId);
  } catch {
    return {};
  }
}
