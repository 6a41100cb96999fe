import { ANONYMOUS, type JsonObject } from '@event-manager/core';
import { mostInWindow } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, type SetUp, sinkOf } from '../../open-engine.ts';

const MINUTE_MS = 60_000;

/** A durable world with one webhook that is limited, and when each of its attempts was made. */
function limitedWorld(rateLimitPerMinute: number, answer: (n: number, attempt: number) => boolean = () => true) {
  const world = durableWorld();
  const { time } = world;
  const attempts: { n: number; attempt: number; atMs: number }[] = [];
  let opened = 0;
  const open = async (setUp: SetUp = {}) => {
    const mine = ++opened;
    const bus = await world.open({
      ...setUp,
      webhookSink: () =>
        sinkOf(async (batch) => {
          if (mine !== opened) return new Promise(() => {});
          return batch.map(({ record, attempt }) => {
            const { n } = JSON.parse(Buffer.from(record.body).toString()).payload as { n: number };
            attempts.push({ n, attempt, atMs: time.monotonicMs() });
            if (answer(n, attempt)) return { status: 'delivered' };
            return { status: 'retry', error: { code: 'no', message: 'no' } };
          });
        }),
    });
    return bus;
  };
  const request = {
    name: 'limited',
    endpoint: 'https://a.example/',
    options: { rateLimitPerMinute, retryPolicy: fixedRetry(5, 1_000) },
  };
  const most = () =>
    mostInWindow(
      attempts.map(({ atMs }) => atMs),
      MINUTE_MS,
    );
  return { time, kept: world.kept, open, attempts, request, most };
}

describe('rateLimitPerMinute', () => {
  it('lets so many through at once and the others wait, in their order, until they fit', async () => {
    const { time, open, attempts, request, most } = limitedWorld(10);
    const bus = await open();
    const { id } = await bus.subscribe(request);
    await bus.publishMany(35);
    await time.advance(MINUTE_MS - 1);
    expect(attempts.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(bus.status(id)).toMatchObject({ state: 'waiting', waiting: 25 });
    await bus.settled();
    expect(attempts.map(({ n }) => n)).toEqual(Array.from({ length: 35 }, (_, at) => at + 1));
    expect(most()).toBe(10);
    // Waiting for the limit costs no attempt and counts as no failure.
    expect(bus.status(id).counts).toMatchObject({ delivered: 35, failed: 0 });
  });

  it('gives the most urgent ones what there is', async () => {
    const { time, open, attempts, request } = limitedWorld(5);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(20, 1, { priority: 'LOW' });
    await bus.publishMany(3, 101, { priority: 'CRITICAL' });
    await time.advance(MINUTE_MS + 1_000);
    expect(attempts.slice(5, 10).map(({ n }) => n)).toEqual([101, 102, 103, 6, 7]);
    await bus.settled();
  });

  it('counts attempts, so that retries wait for their turn as well', async () => {
    const { open, attempts, request, most } = limitedWorld(10, (n, attempt) => n % 2 === 0 || attempt > 2);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(20);
    await bus.settled();
    expect(attempts).toHaveLength(40);
    expect(most()).toBe(10);
  });

  it('counts an attempt from when it begins: a retry that waits for its commit is not early', async () => {
    const { time, kept, open, attempts, request, most } = limitedWorld(4, (_n, attempt) => attempt > 1);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(2);
    await time.advance(900);
    kept.interfere = (call) => (call === 'commit' ? time.wait(700) : undefined);
    await time.advance(2_000);
    kept.interfere = () => {};
    await bus.publishMany(10, 3);
    await bus.settled(10 * MINUTE_MS);
    expect(new Set(attempts.map(({ n }) => n)).size).toBe(12);
    expect(most()).toBe(4);
  });

  it('counts the events of a batch, not the calls', async () => {
    const { open, request, most, attempts } = limitedWorld(10);
    const bus = await open();
    await bus.subscribe({ ...request, options: { ...request.options, batchSize: 7 } });
    await bus.publishMany(40);
    await bus.settled();
    expect([attempts.length, most()]).toEqual([40, 10]);
  });

  it.each([0, 1, 2])(
    'counts on while it is taken away, and holds when it is back, %d restarts in between',
    async (restarts) => {
      const { time, open, attempts, request, most } = limitedWorld(10);
      let bus = await open();
      const { id } = await bus.subscribe(request);
      const change = (options: JsonObject) => time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options }));
      await bus.publishMany(8);
      await time.advance(2_000);
      await change({ rateLimitPerMinute: 0 });
      expect(bus.status(id).rateLeft).toBeUndefined();
      await bus.publishMany(2, 9);
      await time.advance(2_000);
      for (let restart = 0; restart < restarts; restart++) {
        await bus.close();
        bus = await open();
      }
      await change({ rateLimitPerMinute: 10 });
      await bus.publishMany(30, 11);
      await time.advance(50_000);
      expect(attempts).toHaveLength(10);
      await bus.settled();
      expect([attempts.length, most()]).toEqual([40, 10]);
      await bus.close();
    },
  );

  it('is forgotten once it is taken away and its minute is over, and lets everything through meanwhile', async () => {
    const { time, kept, open, attempts, request } = limitedWorld(10);
    const bus = await open();
    const { id } = await bus.subscribe(request);
    await bus.publishMany(10);
    await time.advance(2_000);
    await time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options: { rateLimitPerMinute: 0 } }));
    await bus.publishMany(50, 11);
    await time.advance(2_000);
    expect(attempts).toHaveLength(60);
    await time.advance(MINUTE_MS);
    await bus.close();
    const [progress] = await kept.kept.state.get('progress', [`${id}/0`]);
    expect(progress?.value).not.toHaveProperty('rate');
  });

  it('goes on after a clean stop as if nothing had happened', async () => {
    const { time, open, attempts, request, most } = limitedWorld(10);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(6);
    await time.advance(10_000);
    await bus.close();
    const again = await open();
    await again.publishMany(10, 7);
    await time.advance(1_000);
    // Four were left; nobody waits a minute for them.
    expect(attempts).toHaveLength(10);
    await again.settled();
    expect([attempts.length, most()]).toEqual([16, 10]);
  });

  it('is full after a crash: what was attempted last may be as young as that', async () => {
    const { time, open, attempts, request, most } = limitedWorld(10);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(6);
    await time.advance(10_000);
    bus.crash();
    const again = await open();
    const openedMs = time.monotonicMs();
    await again.publishMany(10, 7);
    await again.settled();
    expect(most()).toBeLessThanOrEqual(10);
    expect(new Set(attempts.map(({ n }) => n)).size).toBe(16);
    expect(attempts.find(({ atMs }) => atMs >= openedMs)!.atMs - openedMs).toBe(MINUTE_MS);
  });

  it('lets a new subscription begin at once, also when the process died before it had anything to do', async () => {
    const { time, open, attempts, request } = limitedWorld(10);
    const bus = await open();
    await bus.subscribe(request);
    bus.crash();
    const again = await open();
    await again.publishMany(3);
    await time.advance(200);
    expect(attempts).toHaveLength(3);
  });

  it('is believed no clean stop after which something was attempted and the process died', async () => {
    const { time, open, attempts, request, most } = limitedWorld(10);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(2);
    await time.advance(5_000);
    await bus.close();
    const second = await open();
    await second.publishMany(8, 3);
    await time.advance(100);
    expect(attempts).toHaveLength(10);
    second.crash();
    const third = await open();
    await third.publishMany(10, 11);
    await third.settled();
    expect(most()).toBeLessThanOrEqual(10);
  });

  it('is not moved by a wall clock that was set while nobody served', async () => {
    const { time, open, request, most, attempts } = limitedWorld(10);
    const bus = await open();
    await bus.subscribe(request);
    await bus.publishMany(10);
    await time.advance(1_000);
    await bus.close();
    time.jumpWall(3_600_000);
    const again = await open();
    await again.publishMany(10, 11);
    await again.settled();
    expect([attempts.length, most()]).toEqual([20, 10]);
  });

  it('holds across a change of the subscription, and a new limit counts what was attempted under the old one', async () => {
    const { time, open, request, attempts } = limitedWorld(10);
    const bus = await open();
    const { id } = await bus.subscribe(request);
    await bus.publishMany(6);
    await time.advance(1_000);
    const update = bus.engine.subscriptions.update({ id: 'x', kind: 'user' }, id, { options: { rateLimit: 8 } });
    expect((await time.run(update)).options.rateLimitPerMinute).toBe(8);
    await bus.publishMany(10, 7);
    await time.advance(1_000);
    expect(attempts).toHaveLength(8);
    await bus.settled();
  });

  it('holds across a change of a subscription that ends with its process', async () => {
    const { time, open } = limitedWorld(10);
    const bus = await open();
    let handled = 0;
    const { id } = await bus.subscribe({ handler: () => void handled++, options: { rateLimitPerMinute: 5 } });
    await bus.publishMany(3);
    await time.run(bus.engine.subscriptions.update({ id: 'x', kind: 'user' }, id, { topic: 'order.*' }));
    await bus.publishMany(10);
    await time.advance(1_000);
    expect(handled).toBe(5);
    await bus.settled();
  });

  it('leaves nothing in the timetable when the subscription ends', async () => {
    const { open, request } = limitedWorld(1);
    const bus = await open();
    const before = bus.engine.memory().timetable;
    const { id } = await bus.subscribe(request);
    await bus.publishMany(3);
    expect(bus.engine.memory().timetable).toBeGreaterThan(before);
    await bus.time.run(bus.engine.subscriptions.unsubscribe({ id: 'x', kind: 'user' }, id));
    expect(bus.engine.memory().timetable).toBe(before);
  });
});
