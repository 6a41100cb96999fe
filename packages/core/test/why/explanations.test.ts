import { ANONYMOUS, type Outcome, type Why } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, fixedRetry, openMemory, sinkOf } from '../open-engine.ts';
import { attachHandler, SeveralEngines } from '../several-engines.ts';

const ENDPOINT = 'https://receiver.example/hook';
const FAILED: Outcome = { status: 'retry', error: { code: 'http_503', message: 'No.' } };

function why(bus: EngineUnderTest, subscriptionId: string, eventId: string): Promise<Why> {
  return bus.time.run(bus.engine.explanations.why(ANONYMOUS, subscriptionId, eventId));
}

/** A webhook that answers what the test says. */
async function hooked(options: object = {}, subscription: object = {}) {
  const receiver = { answer: { status: 'delivered' } as Outcome };
  const bus = await openMemory({ webhookSink: () => sinkOf((batch) => batch.map(() => receiver.answer)) });
  const { id } = await bus.subscribe({
    name: 'hook',
    endpoint: ENDPOINT,
    options: { breaker: false, ...options },
    ...subscription,
  });
  return { bus, id, receiver };
}

describe('why', () => {
  it('tells a delivery at the first attempt, which has no record', async () => {
    const { bus, id } = await hooked();
    const event = await bus.publish();
    await bus.settled();
    expect(await why(bus, id, event.id)).toMatchObject({
      reason: 'delivered',
      status: 'delivered',
      certain: true,
      also: [],
    });
  });

  it('tells every attempt of a delivery that failed before, and where and when it succeeded', async () => {
    const { bus, id, receiver } = await hooked({ retryPolicy: fixedRetry(3) });
    receiver.answer = FAILED;
    const event = await bus.publish();
    await bus.time.advance(500);
    const waits = await why(bus, id, event.id);
    expect(waits).toMatchObject({ reason: 'retry_waits', status: 'owed', facts: { attempt: 1 } });
    receiver.answer = { status: 'delivered' };
    await bus.settled();
    const answer = await why(bus, id, event.id);
    expect(answer).toMatchObject({ reason: 'delivered', facts: { attempts: 2, errors: [{ code: 'http_503' }] } });
    expect(answer.timeline.map(({ what }) => what)).toEqual(['published', 'recorded', 'failed', 'delivered']);
  });

  it('names the clause of the filter, what it wants, and what the event has there', async () => {
    const { bus, id } = await hooked({}, { filter: { payload: { 'order.total': { numeric: ['>', 10] } } } });
    const event = await bus.publish({ payload: { order: { total: 7 } } });
    await bus.settled();
    expect(await why(bus, id, event.id)).toMatchObject({
      reason: 'filter_not_matched',
      facts: { clause: '/payload/order.total', wanted: { numeric: ['>', 10] }, found: 7 },
    });
  });

  it('tells the filter before the pause, and the pause beside it', async () => {
    const { bus, id } = await hooked({}, { filter: { sources: ['shop'] } });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    const event = await bus.publish();
    const answer = await why(bus, id, event.id);
    expect(answer.reason).toBe('filter_not_matched');
    expect(answer.also.map(({ reason }) => reason)).toContain('paused');
  });

  it('gives the same answer at every process', async () => {
    const engines = await SeveralEngines.of(2);
    const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
    const { id } = await attachHandler(first, { options: { retryPolicy: fixedRetry(5) } }, () => {
      throw new Error('not now');
    });
    const event = await first.publish(anEvent({ payload: { n: 1 } }));
    await first.time.advance(1_500);
    const answers = [await why(first, id, event.id), await why(second, id, event.id)];
    expect(answers[0]!.reason).toBe('retry_waits');
    expect(answers[1]).toEqual(answers[0]);
    await engines.close();
  });

  it('tells that an event is about the subscription itself', async () => {
    const bus = await openMemory();
    const options = { deadLetterTopic: 'order/dead', retryPolicy: fixedRetry(0) };
    const { id } = await bus.subscribe({ topic: 'order/#', name: 's', handler: () => ({ success: false }), options });
    await bus.publish({ topic: 'order/created' });
    await bus.settled();
    const query = { topic: 'order/dead' };
    const found = bus.engine.history.find(ANONYMOUS, query, { limit: 1, direction: 'forward' });
    const [telling] = (await bus.time.run(found)).records;
    expect(await why(bus, id, telling!.id)).toMatchObject({
      reason: 'about_itself',
      status: 'not-wanted',
      certain: true,
    });
    await bus.close();
  });

  it('knows where a subscription was set back, and what it was set forward over', async () => {
    const bus = await openMemory();
    const before = await bus.publish();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    expect((await why(bus, id, before.id)).reason).toBe('before_start');
    await bus.time.run(bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' }));
    await bus.settled();
    expect(await why(bus, id, before.id)).toMatchObject({ reason: 'delivered', certain: true });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    const over = await bus.publish();
    await bus.time.run(bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'latest' }));
    const answer = await why(bus, id, over.id);
    expect(answer).toMatchObject({ reason: 'delivered', certain: false });
    expect(answer.note).toContain('was reset');
    await bus.close();
  });

  it('tells that the dead letter was discarded', async () => {
    const world = durableWorld();
    const bus = await world.open();
    const handler = () => ({ success: false, retry: false });
    const { id } = await bus.subscribe({ name: 's', handler });
    const event = await bus.publish();
    await bus.settled();
    const { state } = world.kept.kept;
    const [entry] = (await state.load('dead-letter', { limit: 1 })).entries;
    const value = { ...(entry!.value as object), state: 'discarded' } as never;
    await state.commit([{ kind: 'dead-letter', key: entry!.key, value }]);
    expect(await why(bus, id, event.id)).toMatchObject({ reason: 'discarded', status: 'given-up', certain: true });
    await bus.close();
  });

  it('says that the process does not answer that serves it, and what is durable', async () => {
    const engines = await SeveralEngines.of(2);
    const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
    const { id } = await attachHandler(first, { options: { retryPolicy: fixedRetry(5, 3_600_000) } }, () => {
      throw new Error('not now');
    });
    const event = await first.publish(anEvent({ payload: { n: 1 } }));
    await first.time.advance(1_500);
    engines.crash(first);
    const asked = await why(second, id, event.id);
    expect(asked).toMatchObject({ reason: 'unserved', status: 'owed', certain: false, facts: { servedBy: 'a' } });
    expect(asked.also.map(({ reason }) => reason)).toEqual(['retry_waits']);
    await engines.time.advance(10_000);
    const afterwards = await why(second, id, event.id);
    expect(afterwards).toMatchObject({ reason: 'not_attached', certain: true, also: [{ reason: 'retry_waits' }] });
    await engines.close();
  });

  it('answers by the records where nobody serves', async () => {
    const world = durableWorld();
    const open = () => world.open();
    const bus = await open();
    const { id } = await bus.subscribe({
      name: 's',
      handler: () => ({ success: false }),
      options: { retryPolicy: fixedRetry(9) },
    });
    const event = await bus.publish();
    await bus.time.advance(500);
    await bus.close();
    const again = await open();
    expect(await why(again, id, event.id)).toMatchObject({ reason: 'not_attached', also: [{ reason: 'retry_waits' }] });
    await again.close();
  });
});
