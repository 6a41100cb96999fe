import { ANONYMOUS, EventManagerError, type Outcome, type SubscriptionDefinition } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, openOn, sinkOf } from '../open-engine.ts';

const SECOND = 1_000;
const HOUR = 60 * 60 * SECOND;
const endpoint = 'https://a.example/';
const delivered: Outcome = { status: 'delivered' };
const gone: Outcome = { status: 'gone', error: { code: 'http_410', message: 'Gone.' } };

const stateOf = (bus: EngineUnderTest, id: string) => bus.engine.subscriptions.get(ANONYMOUS, id).state;

/** Two processes on one store; whichever serves the subscription delivers through one webhook. */
async function twoProcesses() {
  const time = new VirtualTime();
  const shared = new SimulatedShared({ time, chance: new SeededChance(7), stallShare: 0, hintLossShare: 1 });
  const receiver = { answer: delivered, asked: 0 };
  const webhookSink = () =>
    sinkOf(async (batch) => {
      receiver.asked += batch.length;
      return batch.map(() => receiver.answer);
    });
  const open = (owner: string) => openOn(shared.connect(), time, { owner, webhookSink });
  const [a, b] = [await open('a'), await open('b')];
  const { id } = await a.subscribe({ name: 's', endpoint });
  await time.advance(3 * SECOND);
  const [serving, other] = a.engine.isServing(id) ? [a, b] : [b, a];
  const state = (bus: EngineUnderTest, what: 'pause' | 'resume') =>
    time.run(bus.engine.subscriptions[what](ANONYMOUS, id));
  const close = () => time.run(Promise.all([a.engine.close(), b.engine.close()]));
  return { time, shared, receiver, serving, other, id, state, close };
}

describe('a subscription of two processes', () => {
  it('is paused in one and resumed in the other although these have not heard of each other', async () => {
    for (const here of ['serving', 'other'] as const) {
      const world = await twoProcesses();
      const { time, receiver, id, state } = world;
      const [first, second] = here === 'serving' ? [world.serving, world.other] : [world.other, world.serving];
      await state(first, 'pause');
      await state(second, 'resume');
      await state(first, 'pause');
      expect((await state(second, 'resume')).state).toBe('active');
      await time.advance(5 * SECOND);
      expect([stateOf(first, id), stateOf(second, id)]).toEqual(['active', 'active']);
      await first.publishMany(3);
      await time.advance(SECOND);
      expect(receiver.asked).toBe(3);
      await world.close();
    }
  });

  it('takes a change although the other process made one a moment before, and keeps both', async () => {
    const world = await twoProcesses();
    const { time, serving, other, id } = world;
    const update = (bus: EngineUnderTest, options: { [name: string]: number }) =>
      time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options }));
    await update(other, { maxConcurrency: 3 });
    await update(serving, { timeoutMs: 2_000 });
    await time.advance(5 * SECOND);
    for (const bus of [serving, other]) {
      expect(bus.engine.subscriptions.get(ANONYMOUS, id).options).toMatchObject({
        maxConcurrency: 3,
        timeoutMs: 2_000,
      });
    }
    await world.close();
  });

  it('is told to be gone where the other process removed it a moment before', async () => {
    const world = await twoProcesses();
    const { time, serving, other, id, state } = world;
    await time.run(other.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await expect(state(serving, 'pause')).rejects.toMatchObject({ code: 'subscription_not_found' });
    await time.advance(5 * SECOND);
    expect([serving.engine.isServing(id), serving.engine.subscriptions.list(ANONYMOUS)]).toEqual([false, []]);
    await world.close();
  });

  it('follows the whole of a change that was made elsewhere when its state is set before it was heard of', async () => {
    const world = await twoProcesses();
    const { time, receiver, serving, other, id, state } = world;
    await time.run(other.engine.subscriptions.update(ANONYMOUS, id, { topic: 'b' }));
    await state(serving, 'pause');
    await state(serving, 'resume');
    await time.advance(5 * SECOND);
    await serving.publishMany(1, 1, { topic: 'a' });
    await serving.publishMany(2, 2, { topic: 'b' });
    await time.advance(SECOND);
    expect(receiver.asked).toBe(2);
    await world.close();
  });

  it('believes the receiver to be well when it is resumed in the other one', async () => {
    const world = await twoProcesses();
    const { time, receiver, serving, other, id, state } = world;
    receiver.answer = { status: 'busy', afterMs: HOUR };
    await serving.publishMany(3);
    await time.advance(SECOND);
    expect(serving.status(id)).toMatchObject({ state: 'waiting' });
    receiver.answer = delivered;
    await state(other, 'resume');
    await time.advance(5 * SECOND);
    expect(serving.status(id)).toMatchObject({ state: 'current', lag: 0 });
    await world.close();
  });
});

describe('a receiver that is gone while the store takes nothing', () => {
  async function goneWhileFull() {
    const { time, kept, open } = durableWorld();
    const receiver = { answer: gone, asked: 0 };
    const webhookSink = () =>
      sinkOf((batch) => {
        receiver.asked += batch.length;
        return batch.map(() => receiver.answer);
      });
    const bus = await open({ webhookSink });
    const { id } = await bus.subscribe({ endpoint });
    kept.interfere = (call, [changes]) => {
      if (call !== 'commit' || (changes as { kind: string }[])[0]?.kind !== 'subscription') return;
      throw new EventManagerError('disk_full', 'Full.');
    };
    await bus.publish();
    await time.advance(500);
    const stored = async () => {
      const [entry] = await kept.kept.state.get('subscription', [id]);
      return (entry!.value as unknown as SubscriptionDefinition).state;
    };
    const makeRoom = () => {
      kept.interfere = () => {};
    };
    return { time, open, webhookSink, bus, id, receiver, stored, makeRoom };
  }

  it('is stopped for everybody at once, and durably as soon as there is room', async () => {
    const { time, open, webhookSink, bus, id, receiver, stored, makeRoom } = await goneWhileFull();
    expect([bus.engine.subscriptions.get(ANONYMOUS, id), bus.status(id)]).toMatchObject([
      { state: 'stopped', stoppedReason: { code: 'http_410' } },
      { state: 'stopped' },
    ]);
    expect(await stored()).toBe('active');
    makeRoom();
    await time.advance(2 * SECOND);
    expect(await stored()).toBe('stopped');
    await bus.close();
    const next = await open({ webhookSink });
    await next.publish();
    await time.advance(SECOND);
    expect([stateOf(next, id), receiver.asked]).toEqual(['stopped', 1]);
    await next.close();
  });

  it('is not stopped once more after somebody resumed it', async () => {
    const { time, bus, id, receiver, stored, makeRoom } = await goneWhileFull();
    receiver.answer = delivered;
    await expect(time.run(bus.engine.subscriptions.resume(ANONYMOUS, id))).rejects.toMatchObject({ code: 'disk_full' });
    expect(stateOf(bus, id)).toBe('stopped');
    makeRoom();
    await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await time.advance(5 * SECOND);
    await bus.publish();
    await time.advance(SECOND);
    expect([stateOf(bus, id), await stored(), bus.status(id).counts.delivered]).toEqual(['active', 'active', 1]);
    await bus.close();
  });
});

it('sends nothing of its own to a subscription that took the name of one that was removed', async () => {
  const { open } = durableWorld();
  const sent: string[] = [];
  const webSocketSink = () =>
    sinkOf((batch) => {
      for (const { record } of batch) sent.push(JSON.parse(Buffer.from(record.body).toString()).payload.from);
      return batch.map(() => delivered);
    });
  const bus = await open({ webSocketSink });
  const { subscriptions } = bus.engine;
  const request = { name: 's', endpoint: 'wss://a.example/' };
  const { id } = await bus.subscribe(request);
  subscriptions.enrich(id, () => ({ payload: { from: 'an enricher' } }));
  await bus.publish({ payload: { from: 'its publisher' } });
  await bus.settled();
  await bus.time.run(subscriptions.unsubscribe(ANONYMOUS, id));
  await bus.subscribe(request);
  await bus.publish({ payload: { from: 'its publisher' } });
  await bus.settled();
  expect(sent).toEqual(['an enricher', 'its publisher']);
  await bus.close();
});
