import { ANONYMOUS, type Outcome, type StateChange } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, sinkOf } from '../open-engine.ts';

const ENDPOINT = 'https://receiver.example/hook';
const FAILED: Outcome = { status: 'retry', error: { code: 'http_503', message: 'No.' } };
const DAY_MS = 24 * 60 * 60 * 1_000;

async function started(deliveryLog: 'failures' | 'full' | 'off', retention: object = {}) {
  const world = durableWorld();
  const receiver = { answer: (_attempt: number): Outcome => ({ status: 'delivered' }) };
  const webhookSink = () => sinkOf((batch) => batch.map(({ attempt }) => receiver.answer(attempt)));
  const open = () => world.open({ webhookSink, deliveryLog: retention });
  const bus = await open();
  const options = { breaker: false, deliveryLog, retryPolicy: fixedRetry(2) };
  const { id } = await bus.subscribe({ name: 'hook', endpoint: ENDPOINT, options });
  const records = async () => (await world.kept.kept.state.load('attempt', { limit: 100_000 })).entries;
  return { ...world, bus, id, receiver, records, open };
}

/** What reached the state store from here on: how many commits, and how many changes of each kind. */
function counting(kept: Awaited<ReturnType<typeof started>>['kept']) {
  const from = kept.calls.length;
  return () => {
    const commits = kept.calls.slice(from).filter(({ call }) => call === 'commit');
    const changes = commits.flatMap(({ args }) => args[0] as StateChange[]);
    return { commits: commits.length, changes: changes.length };
  };
}

describe('a delivery that is over', () => {
  it('costs nothing when it succeeded at once: as many commits and changes as without any record', async () => {
    const counted = [];
    for (const deliveryLog of ['failures', 'off'] as const) {
      const { bus, kept, records } = await started(deliveryLog);
      const count = counting(kept);
      await bus.publishMany(5_000);
      await bus.settled();
      counted.push(count());
      expect(await records()).toEqual([]);
      await bus.close();
    }
    process.stdout.write(`${JSON.stringify({ test: 'delivery log', failures: counted[0], off: counted[1] })}\n`);
    expect(counted[0]).toEqual(counted[1]);
  });

  it('has a record in the commit that settles it, when it failed before', async () => {
    const { bus, id, kept, receiver, records } = await started('failures');
    receiver.answer = (attempt) => (attempt === 1 ? FAILED : { status: 'delivered' });
    const event = await bus.publish();
    await bus.settled();
    const [record] = await records();
    expect(record!.value).toMatchObject({ eventId: event.id, end: 'delivered', attempts: 2, errors: [{ attempt: 1 }] });
    const commits = kept.calls.filter(({ call }) => call === 'commit').map(({ args }) => args[0] as StateChange[]);
    const [settling] = commits.filter((changes) => changes.some(({ kind }) => kind === 'attempt'));
    expect(settling!.some(({ kind, value }) => kind === 'owed' && value === undefined)).toBe(true);
    expect(record!.key.startsWith(`${id}/0/`)).toBe(true);
    await bus.close();
  });

  it('has one whatever came of it, with the full log', async () => {
    const { bus, records } = await started('full');
    await bus.publishMany(20);
    await bus.settled();
    expect((await records()).map(({ value }) => (value as { attempts: number }).attempts)).toEqual(Array(20).fill(1));
    await bus.close();
  });

  it('has none without a log, and the answer says what that leaves open', async () => {
    const { bus, id, receiver, records } = await started('off');
    receiver.answer = (attempt) => (attempt === 1 ? FAILED : { status: 'delivered' });
    const event = await bus.publish();
    await bus.settled();
    expect(await records()).toEqual([]);
    const answer = await bus.time.run(bus.engine.explanations.why(ANONYMOUS, id, event.id));
    expect(answer).toMatchObject({ reason: 'delivered', certain: false });
    expect(answer.note).toContain('deliveryLog: off');
    await bus.close();
  });
});

describe('a delivery that a replay repeats', () => {
  it('keeps the record of how it ended, whatever becomes of it in the replay', async () => {
    const { bus, receiver, records } = await started('full');
    await bus.publishMany(3);
    await bus.settled();
    const before = await records();
    receiver.answer = (attempt) => (attempt === 1 ? FAILED : { status: 'delivered' });
    const { id } = await bus.time.run(bus.engine.runs.start(ANONYMOUS, 'replay', { all: true }));
    await bus.time.advance(60_000);
    const run = await bus.time.run(bus.engine.runs.get(ANONYMOUS, id));
    expect(run).toMatchObject({ state: 'done', counts: { done: 3 } });
    expect(await records()).toEqual(before);
    await bus.close();
  });
});

describe('records of deliveries', () => {
  it('are never many more than there may be, and the oldest go', async () => {
    const { bus, records } = await started('full', { recordsMax: 500 });
    for (let round = 0; round < 6; round++) {
      await bus.publishMany(800, round * 800);
      await bus.settled();
      expect((await records()).length).toBeLessThan(500 + 2_000);
    }
    await bus.time.advance(20 * 60_000);
    const left = await records();
    expect(left.length).toBe(500);
    const positions = left.map(({ key }) => Number(key.split('/')[2]));
    expect([positions[0], positions.at(-1)]).toEqual([4_301, 4_800]);
    await bus.close();
  });

  it('go after their time', async () => {
    const { bus, records } = await started('full', { retentionMs: DAY_MS });
    await bus.publishMany(30);
    await bus.settled();
    await bus.time.advance(DAY_MS - 60 * 60_000);
    expect((await records()).length).toBe(30);
    await bus.publishMany(5);
    await bus.time.advance(2 * 60 * 60_000);
    expect((await records()).length).toBe(5);
    await bus.close();
  });

  it('go with their subscription', async () => {
    const { bus, id, records } = await started('full');
    await bus.publishMany(30);
    await bus.settled();
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    expect(await records()).toEqual([]);
    await bus.close();
  });

  it('go a while after the subscription that lived with its process', async () => {
    const { bus, records } = await started('off');
    let isFailing = true;
    const handler = () => ({ success: !isFailing });
    const { id } = await bus.subscribe({ handler, options: { retryPolicy: fixedRetry(2) } });
    await bus.publish();
    await bus.time.advance(500);
    isFailing = false;
    await bus.settled();
    expect((await records()).map(({ key }) => key.startsWith(id))).toEqual([true]);
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await bus.time.advance(15 * 60_000);
    expect(await records()).toEqual([]);
    await bus.close();
  });
});
