import { ANONYMOUS, type EventHandler, type Why } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry } from '../open-engine.ts';
import { ended, redrive } from '../runs/redrive/redrive-world.ts';

const REFUSED = { success: false, retry: false, error: 'no' } as const;

const reset = (bus: EngineUnderTest, id: string, to: unknown = 'earliest') =>
  bus.time.run(bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to }));
const why = (bus: EngineUnderTest, id: string, eventId: string): Promise<Why> =>
  bus.time.run(bus.engine.explanations.why(ANONYMOUS, id, eventId));

/** A subscription that refuses what `fails` names, and what is told of its dead letters. */
async function world(options: object = {}, fails = new Set([1, 2])) {
  const { open, time } = durableWorld();
  const bus = await open();
  const told: string[] = [];
  const handler: EventHandler = ({ payload }) => (fails.has(payload['n'] as number) ? REFUSED : undefined);
  await bus.subscribe({ topic: 'died', name: 'told', handler: ({ payload }) => void told.push(String(payload['n'])) });
  const { id } = await bus.subscribe({
    ...{ topic: 'a', name: 's', handler },
    options: { deadLetterTopic: 'died', retryPolicy: fixedRetry(0), ...options },
  });
  await bus.publishMany(3, 1, { topic: 'a' });
  await bus.settled();
  const letters = async () =>
    (await bus.deadLetters(id)).map(({ event, round, state }) => `${JSON.parse(event).payload.n}/${round} ${state}`);
  return { bus, id, time, told, fails, letters };
}

describe('what dies again after a reset', () => {
  it('is a letter of its own beside the one before, and is told again', async () => {
    const { bus, id, told, letters } = await world();
    await reset(bus, id);
    await bus.settled();
    await bus.time.advance(1_000);
    expect(await letters()).toEqual(['1/0 superseded', '1/1 open', '2/0 superseded', '2/1 open']);
    expect(told.toSorted()).toEqual(['1', '1', '2', '2']);
    await reset(bus, id);
    await bus.settled();
    const ofFirst = (await letters()).filter((letter) => letter.startsWith('1'));
    expect(ofFirst).toEqual(['1/0 superseded', '1/1 superseded', '1/2 open']);
    await bus.close();
  });

  it('also where a retry or a crash is between', async () => {
    const { open } = durableWorld();
    const handler: EventHandler = () => ({ success: false, error: 'no' });
    const request = { topic: 'a', name: 's', handler, options: { retryPolicy: fixedRetry(1, 1_000) } };
    const first = await open();
    const { id } = await first.subscribe(request);
    await first.publishMany(1, 1, { topic: 'a' });
    await first.time.advance(3_000);
    await reset(first, id);
    await first.time.advance(500);
    first.crash();
    const second = await open();
    await second.subscribe(request);
    await second.time.advance(10_000);
    expect((await second.deadLetters(id)).map(({ round }) => round)).toEqual([0, 1]);
    await second.close();
  });

  it('is overwritten by no letter from before that is redriven', async () => {
    const { bus, id, letters } = await world({}, new Set([1]));
    await reset(bus, id);
    await bus.settled();
    const [old] = await bus.deadLetters(id);
    expect(await letters()).toEqual(['1/0 superseded', '1/1 open']);
    await ended(bus, await redrive(bus, { ids: [old!.id] }));
    await bus.time.advance(2_000);
    expect(await letters()).toEqual(['1/0 redriven', '1/1 open', '1/2 open']);
    await bus.close();
  });

  it('counts its redrives from the reset on', async () => {
    const { bus, id } = await world({}, new Set([1]));
    for (let times = 0; times < 10; times++) {
      await ended(bus, await redrive(bus, { all: true }));
      await bus.time.advance(2_000);
    }
    const often = await ended(bus, await redrive(bus, { all: true }));
    expect(often.parts[0]!.skippedFor).toEqual({ redriven_too_often: 1 });
    await reset(bus, id);
    await bus.settled();
    const died = (await bus.deadLetters(id)).toSorted((a, b) => a.round - b.round).at(-1)!;
    expect(died).toMatchObject({ round: 11, state: 'open' });
    const { counts, parts } = await ended(bus, await redrive(bus, { ids: [died.id] }));
    expect([counts.done, parts[0]!.skippedFor]).toEqual([1, undefined]);
    await bus.time.advance(2_000);
    const again = (await bus.deadLetters(id)).toSorted((a, b) => a.round - b.round).at(-1)!;
    expect(again).toMatchObject({ round: 12, redriven: { letterId: died.id, redrives: 1 } });
    await bus.close();
  });
});

describe('a subscription that is made again under its name', () => {
  /** Its letters had the rounds of those that were there, and took their place; and they were not told. */
  it('has letters of its own beside those of the one before', async () => {
    const { bus, id, told, letters } = await world();
    const { subscriptions } = bus.engine;
    await reset(bus, id);
    await bus.settled();
    await bus.time.run(subscriptions.unsubscribe(ANONYMOUS, id));
    const options = { deadLetterTopic: 'died', retryPolicy: fixedRetry(0), startFrom: 'earliest' };
    await bus.subscribe({ topic: 'a', name: 's', handler: () => REFUSED, options });
    await bus.settled();
    await bus.time.advance(1_000);
    const first = ['1/0 superseded', '1/1 superseded', '1/2 open'];
    expect(await letters()).toEqual([...first, '2/0 superseded', '2/1 superseded', '2/2 open', '3/2 open']);
    expect(told.toSorted()).toEqual(['1', '1', '1', '2', '2', '2', '3']);
    await bus.close();
  });
});

describe('why', () => {
  it('takes no letter and no record from before a reset for the end of what was owed anew', async () => {
    const { bus, id, fails } = await world();
    const [letter] = await bus.deadLetters(id);
    expect(await why(bus, id, letter!.eventId)).toMatchObject({ reason: 'dead_letter', certain: true });
    fails.clear();
    await reset(bus, id);
    await bus.settled();
    const answer = await why(bus, id, letter!.eventId);
    expect(answer).toMatchObject({ reason: 'delivered', status: 'delivered' });
    expect(answer.timeline.map(({ what }) => what)).toContain('dead-letter');
    await bus.close();
  });

  it('still takes that of an event that lies before the place of the reset', async () => {
    const { bus, id, fails } = await world();
    const { cursor } = await bus.publish({ topic: 'a', payload: { n: 4 } });
    await bus.settled();
    fails.clear();
    const [letter] = await bus.deadLetters(id);
    await reset(bus, id, cursor);
    await bus.settled();
    expect(await why(bus, id, letter!.eventId)).toMatchObject({ reason: 'dead_letter', certain: true });
    await bus.close();
  });
});
