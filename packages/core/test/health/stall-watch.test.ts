import { ANONYMOUS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, openMemory, sinkOf } from '../open-engine.ts';

const STALL_AFTER_MS = 60_000;
/** Time in which a stall is noticed at the latest. */
const NOTICED_MS = STALL_AFTER_MS * 1.25 + 1;
const HOUR_MS = 3_600_000;
const refused = { status: 'retry', error: { code: 'http_500', message: 'no' } } as const;
const forever = () => new Promise<never>(() => {});

/** A durable world whose store can be made to answer no commit, or no read of single events, any more. */
async function openObstructable() {
  const { kept, open } = durableWorld();
  const bus = await open();
  let silent: string | undefined;
  let release = () => {};
  kept.interfere = (call) =>
    call !== silent
      ? undefined
      : new Promise<void>((resolve) => {
          release = resolve;
        });
  return {
    bus,
    obstruct(call: 'commit' | 'get') {
      silent = call;
    },
    clear() {
      silent = undefined;
      release();
    },
  };
}

describe('a subscription that could go on and does not', () => {
  it('is stalled when the store does not answer the commit that its next attempt waits for', async () => {
    const { bus, obstruct, clear } = await openObstructable();
    let taken = 0;
    const handler = () => {
      taken++;
    };
    const { id } = await bus.subscribe({ name: 's', handler });
    obstruct('commit');
    await bus.publishMany(3);
    await bus.time.advance(STALL_AFTER_MS - 1);
    expect([bus.status(id).state, bus.engine.health().progress.stalled]).toEqual(['working', 0]);
    await bus.time.advance(NOTICED_MS - STALL_AFTER_MS);
    expect(taken).toBe(0);
    expect(bus.status(id)).toMatchObject({ state: 'stalled', lag: 3 });
    expect(bus.engine.health()).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('makes no progress'),
      progress: { stalled: 1, lag: 3, lagMax: 3, worst: [{ id, name: 's', state: 'stalled', lag: 3 }] },
    });
    clear();
    await bus.settled();
    expect([taken, bus.status(id).state, bus.engine.health().status]).toEqual([3, 'current', 'ok']);
  });

  it('is stalled when the attempt number of its retry does not become durable', async () => {
    const { bus, obstruct } = await openObstructable();
    const handler = () => ({ success: false });
    const { id } = await bus.subscribe({ name: 's', handler, options: { retryPolicy: fixedRetry(9, 1_000) } });
    await bus.publish();
    await bus.time.advance(500);
    obstruct('commit');
    await bus.time.advance(1_000 + NOTICED_MS);
    expect(bus.status(id)).toMatchObject({ state: 'stalled', lag: 1, owed: 1 });
  });

  it('is stalled when the body of its next event is not read', async () => {
    const { kept, open } = durableWorld();
    const bus = await open({ limits: { queueMaxSize: 1 } });
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.publishMany(3);
    kept.interfere = (call) => (call === 'get' ? forever() : undefined);
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.time.advance(NOTICED_MS);
    expect(bus.status(id)).toMatchObject({ state: 'stalled', lag: 3 });
  });

  it('is stalled when the part of the log that it has not looked at is not read', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    await bus.publishMany(5);
    kept.interfere = (call) => (call === 'read' ? forever() : undefined);
    const { id } = await bus.subscribe({ name: 's', handler: () => {}, options: { startFrom: 'earliest' } });
    await bus.time.advance(NOTICED_MS);
    expect(bus.status(id)).toMatchObject({ state: 'stalled', lag: 5, waiting: 0 });
  });

  it('is noticed again each time, and not while it moves between two looks', async () => {
    const { bus, obstruct, clear } = await openObstructable();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    for (let round = 0; round < 3; round++) {
      obstruct('commit');
      // Beyond the reservation, so that a claim has to wait for the commit.
      await bus.publishMany(3_000);
      await bus.time.advance(STALL_AFTER_MS / 2);
      expect(bus.status(id).state).toBe('working');
      clear();
      await bus.settled();
    }
    obstruct('commit');
    await bus.publishMany(3_000);
    await bus.time.advance(NOTICED_MS);
    expect(bus.status(id).state).toBe('stalled');
  });
});

describe('a subscription that waits for good reason is not stalled', () => {
  it('while its webhook fails and is tried again on schedule', async () => {
    const bus = await openMemory({ webhookSink: () => sinkOf((batch) => batch.map(() => refused)) });
    const retryPolicy = fixedRetry(1_000, HOUR_MS);
    const { id } = await bus.subscribe({ endpoint: 'https://example.com/hook', options: { retryPolicy } });
    await bus.publishMany(3);
    await bus.time.advance(HOUR_MS - 1_000);
    expect(bus.status(id)).toMatchObject({ state: 'waiting', lag: 3, owed: 3 });
    await bus.time.advance(HOUR_MS);
    expect(bus.engine.health()).toMatchObject({ status: 'ok', progress: { stalled: 0, lag: 3 } });
    expect(bus.status(id).counts.retried).toBe(6);
  });

  it('while so many retries wait that nothing new is attempted; that is told apart', async () => {
    const webhookSink = () => sinkOf((batch) => batch.map(() => refused));
    const bus = await openMemory({ webhookSink, limits: { owedMax: 2 } });
    const retryPolicy = fixedRetry(1_000, HOUR_MS);
    const { id } = await bus.subscribe({ endpoint: 'https://example.com/hook', options: { retryPolicy } });
    await bus.publishMany(5);
    await bus.time.advance(10 * STALL_AFTER_MS);
    expect(bus.status(id)).toMatchObject({ state: 'saturated', lag: 5, owed: 2, waiting: 3 });
    expect(bus.engine.health()).toMatchObject({ status: 'ok', progress: { stalled: 0, saturated: 1 } });
  });

  it('while its receiver has an attempt in hand, however long its timeout', async () => {
    const bus = await openMemory({ webhookSink: () => sinkOf(forever) });
    const options = { timeoutMs: HOUR_MS, maxConcurrency: 1 };
    const { id } = await bus.subscribe({ endpoint: 'https://example.com/hook', options });
    await bus.publishMany(2);
    await bus.time.advance(HOUR_MS - 1_000);
    expect(bus.status(id)).toMatchObject({ state: 'working', lag: 2, inFlight: 1 });
    expect(bus.engine.health().progress.stalled).toBe(0);
  });

  it('while its receiver asked for a pause', async () => {
    const busy = { status: 'busy', afterMs: HOUR_MS } as const;
    const bus = await openMemory({ webhookSink: () => sinkOf((batch) => batch.map(() => busy)) });
    const { id } = await bus.subscribe({ endpoint: 'https://example.com/hook', options: { maxConcurrency: 1 } });
    await bus.publishMany(2);
    await bus.time.advance(HOUR_MS - 1_000);
    expect(bus.status(id)).toMatchObject({ state: 'waiting', lag: 2 });
    expect(bus.engine.health().progress.stalled).toBe(0);
  });

  it('while it is paused, or nobody serves it', async () => {
    const bus = await openMemory();
    const { id } = await bus.subscribe({ name: 'paused', handler: () => {} });
    const { id: left } = await bus.subscribe({ name: 'left', handler: () => {} });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, left));
    await bus.publishMany(4);
    await bus.time.advance(HOUR_MS);
    expect(bus.status(id)).toMatchObject({ state: 'paused', lag: 4 });
    expect(bus.status(left)).toMatchObject({ state: 'unserved', served: false });
    expect(bus.engine.health().progress.stalled).toBe(0);
  });

  it('while it has nothing to do, and right when something comes after a long time', async () => {
    const { bus, obstruct } = await openObstructable();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    await bus.publish();
    await bus.settled();
    await bus.time.advance(HOUR_MS);
    expect(bus.status(id)).toMatchObject({ state: 'current', lag: 0 });
    obstruct('commit');
    await bus.publishMany(3_000);
    await bus.time.advance(STALL_AFTER_MS / 2);
    expect(bus.engine.health().progress.stalled).toBe(0);
  });
});

describe('how far a subscription is', () => {
  it('is known by its records while nobody serves it, across processes', async () => {
    const { open } = durableWorld();
    const first = await open();
    const request = {
      name: 's',
      handler: () => ({ success: false }),
      options: { retryPolicy: fixedRetry(9, HOUR_MS) },
    };
    const { id } = await first.subscribe(request);
    await first.publishMany(2);
    await first.time.advance(1_000);
    await first.time.run(first.engine.subscriptions.detach(ANONYMOUS, id));
    await first.publishMany(3);
    const progressOf = (bus: typeof first) => bus.time.run(bus.engine.subscriptions.progress(ANONYMOUS, id));
    expect(await progressOf(first)).toMatchObject({ state: 'unserved', served: false, lag: 5 });
    await first.close();
    const second = await open();
    expect(await progressOf(second)).toMatchObject({ state: 'unserved', lag: 5 });
    await second.subscribe(request);
    expect(await progressOf(second)).toMatchObject({ served: true, lag: 5 });
  });
  it('tells when an attempt ended last, by the wall clock', async () => {
    const bus = await openMemory();
    const { id } = await bus.subscribe({ handler: () => {} });
    expect(bus.status(id)).not.toHaveProperty('lastProgressAt');
    await bus.publish();
    await bus.settled();
    const then = new Date(bus.time.wallMs()).toISOString();
    await bus.time.advance(5_000);
    expect(bus.status(id).lastProgressAt).toBe(then);
  });

  it('counts events that were passed over as progress', async () => {
    const bus = await openMemory();
    const { id } = await bus.subscribe({ handler: () => {}, filter: { types: ['other'] } });
    await bus.publishMany(3);
    await bus.settled();
    expect(bus.status(id)).toMatchObject({ state: 'current', lastProgressAt: expect.any(String) });
  });

  it('puts those furthest behind first, five of them', async () => {
    const bus = await openMemory();
    for (let count = 1; count <= 7; count++) {
      const { id } = await bus.subscribe({ name: `s${count}`, topic: `t/${count}`, handler: () => {} });
      await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
      await bus.publishMany(count, 1, { topic: `t/${count}` });
    }
    const { worst, lag, lagMax } = bus.engine.health().progress;
    expect(worst.map(({ name, lag: behind }) => [name, behind])).toEqual([
      ['s7', 7],
      ['s6', 6],
      ['s5', 5],
      ['s4', 4],
      ['s3', 3],
    ]);
    expect([lag, lagMax]).toEqual([28, 7]);
  });
});
