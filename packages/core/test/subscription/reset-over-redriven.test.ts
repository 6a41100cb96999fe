import { ANONYMOUS, type DeadLetter, type EventHandler } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry } from '../open-engine.ts';
import { ended, redrive } from '../runs/redrive/redrive-world.ts';

const reset = (bus: EngineUnderTest, id: string, to: unknown = 'earliest') =>
  bus.time.run(bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to }));

/** A subscription to which events died in the life before a reset, by what its receiver says of them. */
async function world() {
  const bus = await durableWorld().open();
  const receiver: { answer: EventHandler } = { answer: () => ({ success: false, retry: false, error: 'no' }) };
  const handed: string[] = [];
  const handler: EventHandler = (event, facts) => {
    handed.push(`${event.payload['n']}`);
    return receiver.answer(event, facts);
  };
  const options = { retryPolicy: fixedRetry(5, 60_000) };
  const { id } = await bus.subscribe({ topic: 'a', name: 's', handler, options });
  const first = await bus.publish({ topic: 'a', payload: { n: 1 } });
  await bus.publish({ topic: 'a', payload: { n: 2 } });
  await bus.settled();
  const letters = async (): Promise<readonly DeadLetter[]> => bus.deadLetters(id);
  const states = async () =>
    (await letters()).map(({ event, round, state }) => `${JSON.parse(event).payload.n}/${round} ${state}`);
  return { bus, id, receiver, handed, letters, states, behindFirst: first.cursor };
}

describe('a letter from before a reset that was redriven', () => {
  it('is open again where another reset drops its debt', async () => {
    const { bus, id, receiver, states, letters, behindFirst } = await world();
    receiver.answer = () => undefined;
    // Behind the first, over the letter of the second: what dies from then on begins one round on.
    await reset(bus, id, behindFirst);
    await bus.settled();
    receiver.answer = () => ({ success: false });
    const [old] = await letters();
    await ended(bus, await redrive(bus, { ids: [old!.id] }));
    await bus.time.advance(1_000);
    expect(await states()).toEqual(['1/0 redriven', '2/0 superseded']);
    const { dropped } = await reset(bus, id, 'latest');
    expect(dropped).toBe(1);
    // Neither owed nor delivered: nothing but its letter is left of it.
    expect(await states()).toEqual(['1/0 open', '2/0 superseded']);
    await bus.close();
  });

  it('is not overwritten by a later letter of the same event that is redriven after it', async () => {
    const { bus, id, states, letters } = await world();
    await reset(bus, id);
    await bus.settled();
    expect(await states()).toEqual(['1/0 superseded', '1/1 open', '2/0 superseded', '2/1 open']);
    const [older, later] = await letters();
    await ended(bus, await redrive(bus, { ids: [older!.id] }));
    await bus.time.advance(2_000);
    await ended(bus, await redrive(bus, { ids: [later!.id] }));
    await bus.time.advance(2_000);
    expect((await states()).slice(0, 4)).toEqual(['1/0 redriven', '1/1 redriven', '1/2 open', '1/3 open']);
    await bus.close();
  });

  it('is a debt once where both letters of an event are redriven at once', async () => {
    const { bus, id, receiver, handed, letters, states } = await world();
    await reset(bus, id);
    await bus.settled();
    receiver.answer = () => undefined;
    handed.length = 0;
    const ids = (await letters()).map((letter) => letter.id);
    const { counts, parts } = await ended(bus, await redrive(bus, { ids }));
    await bus.time.advance(5_000);
    expect(handed.toSorted()).toEqual(['1', '2']);
    expect([counts.done, counts.skipped, parts[0]!.skippedFor]).toEqual([2, 2, { owed_already: 2 }]);
    expect(await states()).toEqual(['1/0 redriven', '1/1 open', '2/0 redriven', '2/1 open']);
    await bus.close();
  });

  it('goes on in another round than the delivery that followed the reset', async () => {
    const { bus, id, receiver, letters, states } = await world();
    receiver.answer = () => undefined;
    await reset(bus, id);
    await bus.settled();
    expect(await states()).toEqual(['1/0 superseded', '2/0 superseded']);
    const ids = (await letters()).map((letter) => letter.id);
    await ended(bus, await redrive(bus, { ids }));
    await bus.settled();
    // Round 1 was delivered by the reset: a client that remembers what it answered to that would not call its handler.
    expect((await letters()).map(({ closed }) => closed?.round)).toEqual([2, 2]);
    await bus.close();
  });
});
