import { ANONYMOUS, EventManagerError, type LeasedDelivery } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, openMemory, openOn } from '../open-engine.ts';

const NO_RETRIES = { retryPolicy: { maxRetries: 0 } };

function asked(bus: EngineUnderTest, options: object = {}) {
  return bus.subscribe({ name: 'batch', topic: '#', options });
}

function pull(bus: EngineUnderTest, id: string, input: object = {}): Promise<readonly LeasedDelivery[]> {
  return bus.time.run(bus.engine.subscriptions.pulls.pull(ANONYMOUS, id, input));
}

function ack(bus: EngineUnderTest, id: string, pulled: readonly LeasedDelivery[]) {
  const deliveries = pulled.map(({ token }) => token);
  return bus.time.run(bus.engine.subscriptions.pulls.ack(ANONYMOUS, id, { deliveries }));
}

const seen = (pulled: readonly LeasedDelivery[]) =>
  pulled.map(({ record, attempt }) => {
    const { payload } = JSON.parse(Buffer.from(record.body).toString());
    return `${payload.n}#${attempt}`;
  });

describe('a subscription that is pulled', () => {
  it('attempts nothing while nobody asks, and is not stalled for it', async () => {
    const { open } = durableWorld();
    const bus = await open({ stallAfterMs: 1_000 });
    const { id } = await asked(bus);
    await bus.publishMany(5);
    await bus.time.advance(10_000);
    expect(bus.status(id)).toMatchObject({ inFlight: 0, waiting: 5, state: 'waiting', members: 0 });
    expect(bus.engine.health().progress.stalled).toBe(0);
    // Whoever waits until all is settled does not wait for what nobody asks for.
    await bus.settled();
  });

  it('leases so many at once as it may, and more when some are answered', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await asked(bus, { maxConcurrency: 3 });
    await bus.publishMany(5);
    const first = await pull(bus, id, { max: 10 });
    expect(seen(first)).toEqual(['1#1', '2#1', '3#1']);
    expect(await pull(bus, id, { max: 10 })).toEqual([]);
    await ack(bus, id, first.slice(0, 2));
    expect(seen(await pull(bus, id, { max: 10 }))).toEqual(['4#1', '5#1']);
  });

  it('finds what another process published a moment ago, though nobody told', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(5), stallShare: 0, hintLossShare: 1 });
    const bus = await openOn(shared.connect(), time, { owner: 'a' });
    const other = await openOn(shared.connect(), time, { owner: 'b' });
    const { id } = await asked(bus);
    expect(await pull(bus, id)).toEqual([]);
    await other.publishMany(3);
    expect(seen(await pull(bus, id, { max: 2 }))).toEqual(['1#1', '2#1']);
    await bus.close();
    await other.close();
  });

  it('can be asked as soon as it was subscribed to, while the lease is on its way', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(7), stallShare: 0, hintLossShare: 0 });
    const bus = await openOn(shared.connect(), time, { owner: 'a' });
    const { id } = await asked(bus);
    expect(await pull(bus, id)).toEqual([]);
    await bus.close();
  });

  it('takes no answer once the engine has failed: it would not become durable', async () => {
    const { open, kept } = durableWorld();
    const bus = await open();
    const { id } = await asked(bus);
    await bus.publishMany(2);
    const pulled = await pull(bus, id, { max: 2 });
    await ack(bus, id, pulled.slice(0, 1));
    kept.interfere = (call) => {
      if (call === 'commit') throw new EventManagerError('store_failed', 'The sync failed.');
    };
    await bus.time.advance(200);
    expect(bus.engine.health().status).toBe('failed');
    await expect(ack(bus, id, pulled.slice(1))).rejects.toMatchObject({ code: 'store_failed' });
  });

  it('delivers again after a crash what was leased, with a higher attempt; answers from before it are too late', async () => {
    const { open } = durableWorld();
    const before = await open();
    const { id } = await asked(before, NO_RETRIES);
    await before.publishMany(3);
    const lost = await pull(before, id, { max: 2 });
    expect(seen(lost)).toEqual(['1#1', '2#1']);
    before.crash();
    const bus = await open();
    const all: LeasedDelivery[] = [];
    while (bus.status(id).lag !== 0) {
      const more = await pull(bus, id, { waitMs: 1_000 });
      all.push(...more);
      await ack(bus, id, more);
      await bus.time.advance(200);
    }
    // The third may have been on its way as well, for all that anybody knows.
    expect(
      seen(all)
        .map((one) => one.slice(0, 2))
        .toSorted(),
    ).toEqual(['1#', '2#', '3#']);
    expect(seen(all)).toEqual(expect.arrayContaining(['1#2', '2#2']));
    const late = lost.map(({ token }) => token);
    expect(await ack(bus, id, lost)).toEqual({ stale: late });
    expect(await bus.deadLetters(id)).toEqual([]);
    expect(bus.status(id).lag).toBe(0);
  });

  it('keeps what is settled over a stop, and hands over again what was leased', async () => {
    const { open } = durableWorld();
    const before = await open();
    const { id } = await asked(before);
    await before.publishMany(3);
    const [one, two] = await pull(before, id);
    await ack(before, id, [one!]);
    const startedAtMs = before.time.monotonicMs();
    await before.close();
    // Whoever holds a lease cannot answer a process that ends.
    expect(before.time.monotonicMs() - startedAtMs).toBeLessThan(1_000);
    const bus = await open();
    expect(seen(await pull(bus, id)).toSorted()).toEqual(['2#2', '3#2']);
    expect(await ack(bus, id, [two!])).toEqual({ stale: [two!.token] });
  });

  it('hands over no two events of a key at once', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await asked(bus, { order: 'key' });
    for (let n = 1; n <= 6; n++) {
      const event = anEvent({ payload: { n }, metadata: { orderingKey: `k${n % 2}` } });
      await bus.time.run(bus.engine.publish(ANONYMOUS, event));
    }
    const order: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const pulled = await pull(bus, id);
      order.push(...seen(pulled));
      await ack(bus, id, pulled);
      await bus.time.advance(200);
    }
    expect(order).toEqual(['1#1', '2#1', '3#1', '4#1', '5#1', '6#1']);
  });

  it('holds at most so many bytes in one answer, and one event at the least', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await asked(bus);
    const text = 'x'.repeat(200 * 1024);
    for (let n = 1; n <= 8; n++) await bus.publish({ payload: { n, text } });
    expect(await pull(bus, id, { max: 100 })).toHaveLength(6);
    expect(await pull(bus, id, { max: 100 })).toHaveLength(2);
  });

  it('lets only so many wait', async () => {
    const bus = await openMemory();
    const { id } = await asked(bus);
    const waiting = Array.from({ length: 100 }, () =>
      bus.engine.subscriptions.pulls.pull(ANONYMOUS, id, { waitMs: 30_000 }),
    );
    await bus.time.advance(1);
    expect(bus.status(id).members).toBe(100);
    await expect(pull(bus, id, { waitMs: 1 })).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    await bus.time.advance(30_000);
    expect((await Promise.all(waiting)).flat()).toEqual([]);
    expect(bus.status(id).members).toBe(0);
  });

  it('answers whoever waits when it is paused, changed, or ended', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { subscriptions } = bus.engine;
    const { id } = await asked(bus, { timeoutMs: 500 });
    await bus.time.run(subscriptions.pause(ANONYMOUS, id));
    await bus.publishMany(1);
    expect(await pull(bus, id, { waitMs: 100 })).toEqual([]);
    const waiting = subscriptions.pulls.pull(ANONYMOUS, id, { waitMs: 30_000 });
    await bus.time.advance(10);
    await bus.time.run(subscriptions.resume(ANONYMOUS, id));
    const [leased] = await bus.time.run(waiting);
    expect(seen([leased!])).toEqual(['1#1']);
    const changing = subscriptions.update(ANONYMOUS, id, { options: { timeoutMs: 700 } });
    // Asked for in the middle of the change.
    const meanwhile = subscriptions.pulls.pull(ANONYMOUS, id, { waitMs: 20_000 });
    await bus.time.run(changing);
    expect(seen(await bus.time.run(meanwhile))).toEqual(['1#2']);
    expect(await ack(bus, id, [leased!])).toEqual({ stale: [leased!.token] });
    const last = subscriptions.pulls.pull(ANONYMOUS, id, { waitMs: 30_000 });
    await bus.time.advance(10);
    await bus.time.run(subscriptions.unsubscribe(ANONYMOUS, id));
    expect(await bus.time.run(last)).toEqual([]);
    await expect(pull(bus, id)).rejects.toMatchObject({ code: 'subscription_not_found' });
  });

  it('gives what was on its way to somebody who went away to the next one, at once', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await asked(bus, NO_RETRIES);
    await bus.publishMany(1);
    const pulled = await pull(bus, id);
    bus.engine.subscriptions.pulls.release(
      id,
      pulled.map(({ token }) => token),
    );
    expect(seen(await pull(bus, id, { waitMs: 1_000 }))).toEqual(['1#2']);
  });

  it('leaves nothing behind in the timetable', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await asked(bus);
    const before = bus.engine.memory().timetable;
    await bus.publishMany(50);
    const pulled = await pull(bus, id, { max: 50 });
    expect(bus.engine.memory().timetable).toBe(before + 50);
    await ack(bus, id, pulled.slice(0, 20));
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    expect(bus.engine.memory().timetable).toBe(before);
  });

  it('is served by one process, where several share a store, and by another when that one ends', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(5), stallShare: 0, hintLossShare: 0 });
    const a = await openOn(shared.connect(), time, { owner: 'a' });
    const { id } = await asked(a);
    await time.advance(5_000);
    const b = await openOn(shared.connect(), time, { owner: 'b' });
    await time.advance(5_000);
    await a.publishMany(1);
    const [leased] = await pull(a, id, { waitMs: 5_000 });
    expect(seen([leased!])).toEqual(['1#1']);
    expect(seen(await pull(b, id))).toEqual([]);
    a.crash();
    await time.advance(30_000);
    expect(seen(await pull(b, id, { waitMs: 5_000 }))).toEqual(['1#2']);
    // The zombie's answer goes nowhere.
    expect(await ack(b, id, [leased!])).toEqual({ stale: [leased!.token] });
    await b.close();
  });
});
