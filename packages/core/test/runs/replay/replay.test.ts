import {
  ANONYMOUS,
  type DeliveryContext,
  type Event,
  EventManagerError,
  type HandlerAnswer,
  type Outcome,
  type StateChange,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/runs/run.ts';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory, openOn, sinkOf } from '../../open-engine.ts';
import { SeveralEngines } from '../../several-engines.ts';

interface Seen {
  readonly n: number;
  readonly isReplay: boolean;
  readonly context: DeliveryContext;
}

/** Notes what a handler is given, and answers as `answer` says. */
function recorder(answer: (seen: Seen) => HandlerAnswer = () => undefined) {
  const seen: Seen[] = [];
  const handler = (event: Event, context: DeliveryContext) => {
    const one = { n: event.payload['n'] as number, isReplay: context.replay !== undefined, context };
    seen.push(one);
    return answer(one);
  };
  const replayed = () => seen.filter(({ isReplay }) => isReplay).map(({ n }) => n);
  return { seen, handler, replayed };
}

function start(of: EngineUnderTest, request: object = {}): Promise<Run> {
  return of.time.run(of.engine.runs.start(ANONYMOUS, 'replay', { all: true, ...request }));
}

function get(of: EngineUnderTest, { id }: { readonly id: string }): Promise<Run> {
  return of.time.run(of.engine.runs.get(ANONYMOUS, id));
}

/** Drives the time until the run is over. */
async function over(of: EngineUnderTest, run: Run, limitMs = 600_000): Promise<Run> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 100) {
    const now = await get(of, run);
    if (now.endedAtMs !== undefined) return now;
    await of.time.advance(100);
  }
  throw new TypeError('The run did not end.');
}

const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

describe('a replay', () => {
  it('delivers a range once more, in the order of the log, marked, and says how far it is', async () => {
    const bus = await openMemory();
    const { handler, replayed, seen } = recorder();
    const { id } = await bus.subscribe({ topic: 'order/#', name: 'orders', handler });
    for (const [at, priority] of (['LOW', 'CRITICAL', 'NORMAL'] as const).entries()) {
      await bus.publishMany(1, at + 1, { topic: 'order/created', priority });
    }
    await bus.publishMany(1, 99, { topic: 'other/created' });
    await bus.settled();
    const run = await start(bus);
    const ended = await over(bus, run);
    expect(replayed()).toEqual([1, 2, 3]);
    expect(ended).toMatchObject({ state: 'done', counts: { total: 3, done: 3, failed: 0, skipped: 0 } });
    expect(seen.at(-1)?.context).toMatchObject({ subscriptionId: id, attempt: 1, replay: { id: run.id } });
  });

  it('leaves the subscription as it was: what it counts, where it stands and what it is owed', async () => {
    const { kept: _kept, open } = durableWorld();
    const bus = await open();
    const { handler } = recorder();
    const { id } = await bus.subscribe({ topic: '#', name: 'orders', handler });
    await bus.publishMany(20);
    await bus.settled();
    const before = bus.status(id);
    const metrics = bus.engine.metrics();
    await over(bus, await start(bus));
    const after = bus.engine.metrics();
    expect(bus.status(id)).toEqual(before);
    expect([after.deliveries, after.activeSubscriptions]).toEqual([metrics.deliveries, metrics.activeSubscriptions]);
  });

  it('tells of itself under $sys, and keeps no record of its deliveries among those of the subscription', async () => {
    const bus = await openMemory({ systemEvents: true });
    const told: string[] = [];
    await bus.subscribe({ topic: '$sys/run/#', handler: ({ topic }) => void told.push(topic) });
    const { handler } = recorder(({ isReplay, context }) => ({ success: !isReplay || context.attempt > 1 }));
    await bus.subscribe({ topic: 'a', name: 's', handler, options: { retryPolicy: fixedRetry(3, 10) } });
    await bus.publishMany(3, 1, { topic: 'a' });
    await bus.settled();
    const run = await start(bus, { topic: 'a', speed: 10 });
    await bus.time.run(bus.engine.runs.pause(ANONYMOUS, run.id));
    await bus.time.run(bus.engine.runs.resume(ANONYMOUS, run.id));
    expect((await over(bus, run)).counts.done).toBe(3);
    // Ends are told of a moment later, so that those of many parts are looked at together.
    await bus.time.advance(100);
    await bus.settled();
    expect(told).toEqual(['started', 'paused', 'resumed', 'ended'].map((what) => `$sys/run/${what}`));
  });

  it('chooses by topic, type, correlation, time and subscription', async () => {
    const bus = await openMemory();
    const one = recorder();
    const other = recorder();
    await bus.subscribe({ topic: '#', name: 'one', handler: one.handler });
    await bus.subscribe({ topic: '#', name: 'other', subscriber: 'billing', handler: other.handler });
    await bus.publishMany(1, 1, { topic: 'a/x', type: 'x.y', correlationId: 'c1' });
    await bus.time.advance(1_000);
    const midMs = bus.time.wallMs();
    await bus.publishMany(1, 2, { topic: 'a/x', type: 'x.z' });
    await bus.publishMany(1, 3, { topic: 'b/x', type: 'x.y' });
    await bus.settled();
    await over(bus, await start(bus, { topic_pattern: 'a.*', subscriber_ids: ['one'] }));
    expect([one.replayed(), other.replayed()]).toEqual([[1, 2], []]);
    await over(bus, await start(bus, { types: ['x.y'], subscribers: 'billing' }));
    expect(other.replayed()).toEqual([1, 3]);
    await over(bus, await start(bus, { correlationId: 'c1', subscriptions: ['other'] }));
    expect(other.replayed()).toEqual([1, 3, 1]);
    await over(bus, await start(bus, { from_timestamp: new Date(midMs), subscriptions: ['other'] }));
    expect(other.replayed()).toEqual([1, 3, 1, 2, 3]);
    await over(bus, await start(bus, { to: midMs, subscriptions: ['other'] }));
    expect(other.replayed()).toEqual([1, 3, 1, 2, 3, 1]);
  });

  it('is over where its subscription has ended with its process', async () => {
    const world = durableWorld();
    const first = await world.open();
    await first.subscribe({ topic: '#', handler: () => undefined });
    await first.publishMany(3);
    await first.settled();
    const run = await start(first, { speed: 0.1 });
    expect((await get(first, run)).state).toBe('running');
    first.crash();
    const second = await world.open();
    expect(await get(second, run)).toMatchObject({ state: 'failed', parts: [{ state: 'gone' }] });
    await second.close();
  });

  it('offers nothing that came after it was asked for', async () => {
    const bus = await openMemory();
    const { handler, replayed } = recorder();
    await bus.subscribe({ topic: '#', name: 'one', handler });
    await bus.publishMany(3);
    await bus.settled();
    const run = await start(bus, { speed: 1 });
    await bus.publishMany(3, 4);
    await over(bus, run);
    expect(replayed()).toEqual([1, 2, 3]);
  });

  it.each([
    ['in its lane', { queueMaxSize: 8 }],
    ['in the log', { laneEntriesMax: 4, queueMaxSize: 8 }],
  ])('says how many retention took before their turn, %s', async (_where, limits) => {
    const bus = await openMemory({ retention: { ageMs: 60_000 }, limits });
    const { handler, replayed } = recorder();
    await bus.subscribe({ topic: '#', name: 'one', handler });
    await bus.publishMany(60);
    await bus.settled();
    const run = await start(bus, { speed: 0.2 });
    await bus.time.advance(10_000);
    await bus.publishMany(1, 99);
    await bus.time.advance(120_000);
    const ended = await over(bus, run);
    const { done, removed = 0, total } = ended.counts;
    expect(removed).toBeGreaterThan(0);
    expect(done + removed).toBe(total);
    expect(replayed()).toHaveLength(done);
  });

  it('puts what failed for good into its report, and makes no dead letter of it', async () => {
    const bus = await openMemory();
    const { handler } = recorder(({ n, isReplay }) => ({ success: !(isReplay && n === 2), retry: false, error: 'no' }));
    const { id } = await bus.subscribe({ topic: '#', name: 'one', handler });
    await bus.publishMany(3);
    await bus.settled();
    const run = await over(bus, await start(bus));
    expect(run).toMatchObject({ state: 'done', counts: { done: 2, failed: 1 } });
    const report = await bus.time.run(bus.engine.runs.report(ANONYMOUS, run.id, { limit: 10 }));
    expect(report.failures).toMatchObject([{ subscriptionId: id, attempts: 1, errors: [{ message: 'no' }] }]);
    expect(await bus.deadLetters()).toEqual([]);
  });

  it.each([
    ['original', 1],
    [{ factor: 10 }, 10],
  ])('makes the waits between events that there were, at the speed %j', async (speed, factor) => {
    const bus = await openMemory();
    const atMs: number[] = [];
    const handler = (_event: Event, { replay }: DeliveryContext) => void (replay && atMs.push(bus.time.monotonicMs()));
    await bus.subscribe({ topic: '#', name: 'one', handler });
    const waitsMs = [0, 2_000, 0, 500, 60_000];
    for (const [at, waitMs] of waitsMs.entries()) {
      await bus.time.advance(waitMs);
      await bus.publishMany(1, at);
    }
    await bus.settled();
    const run = await start(bus, { speed });
    await bus.time.advance(1_000 / factor);
    const isPaused = bus.time.monotonicMs();
    // What it stood still for is none of its waits: it begins anew with the next event.
    await bus.time.run(bus.engine.runs.pause(ANONYMOUS, run.id));
    await bus.time.advance(30_000);
    await bus.time.run(bus.engine.runs.resume(ANONYMOUS, run.id));
    const resumedMs = bus.time.monotonicMs();
    await over(bus, run);
    expect(atMs).toHaveLength(5);
    expect(atMs[0]).toBeLessThanOrEqual(isPaused);
    const waited = atMs.slice(1).map((ms, at) => ms - (at === 0 ? resumedMs : atMs[at]!));
    const wanted = [0, 0, 500, 60_000].map((ms) => ms / factor);
    for (const [at, ms] of waited.entries()) expect(Math.abs(ms - wanted[at]!)).toBeLessThanOrEqual(5);
    await bus.close();
  });

  it('stands still while paused, goes on, and ends where it is when cancelled', async () => {
    const bus = await openMemory();
    const { handler, replayed } = recorder();
    await bus.subscribe({ topic: '#', name: 'one', handler });
    await bus.publishMany(20);
    await bus.settled();
    const run = await start(bus, { speed: 2 });
    await bus.time.advance(2_000);
    await bus.time.run(bus.engine.runs.pause(ANONYMOUS, run.id));
    const paused = replayed().length;
    expect(paused).toBeGreaterThan(2);
    await bus.time.advance(10_000);
    expect(replayed()).toHaveLength(paused);
    await bus.time.run(bus.engine.runs.resume(ANONYMOUS, run.id));
    await bus.time.advance(2_000);
    const ended = await bus.time.run(bus.engine.runs.cancel(ANONYMOUS, run.id));
    expect(ended.state).toBe('cancelled');
    await bus.time.advance(10_000);
    expect(replayed()).toEqual(numbers(1, ended.counts.done));
    expect(replayed().length).toBeGreaterThan(paused);
    expect(replayed().length).toBeLessThan(20);
  });
});

describe('a replay with a target', () => {
  it('goes to a function instead, and leaves the subscription alone, even when that says no or it is paused', async () => {
    const bus = await openMemory();
    const { handler, replayed } = recorder();
    const { id } = await bus.subscribe({ topic: '#', name: 'one', handler });
    await bus.publishMany(5);
    await bus.settled();
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    const shadow: number[] = [];
    const target = (event: Event, { replay }: DeliveryContext) => {
      if (replay) shadow.push(event.payload['n'] as number);
      return { success: event.payload['n'] !== 3, retry: false };
    };
    const run = await over(bus, await start(bus, { target }));
    expect(shadow).toEqual([1, 2, 3, 4, 5]);
    expect(replayed()).toEqual([]);
    expect(run.counts).toMatchObject({ done: 4, failed: 1 });
    expect(await bus.deadLetters()).toEqual([]);
  });

  it('goes to an endpoint instead, whose end stops nobody', async () => {
    const sent: string[] = [];
    let answer: Outcome = { status: 'delivered' };
    const closed: string[] = [];
    const bus = await openMemory({
      webhookSink: ({ sink }) => {
        const { endpoint } = sink as { endpoint: string };
        return {
          deliver: async (batch) => {
            for (const { record, replay } of batch)
              sent.push(`${endpoint} ${record.id === '' ? '' : (replay?.id ?? '-')}`);
            return batch.map(() => (endpoint === 'https://shadow/' ? answer : { status: 'delivered' }));
          },
          close: async () => void closed.push(endpoint),
        };
      },
    });
    const { id } = await bus.subscribe({ topic: '#', endpoint: 'https://live/' });
    await bus.publishMany(3);
    await bus.settled();
    expect(sent.splice(0)).toEqual(Array(3).fill('https://live/ -'));
    const run = await start(bus, { target: { endpoint: 'https://shadow/' } });
    await over(bus, run);
    expect(sent.splice(0)).toEqual(Array(3).fill(`https://shadow/ ${run.id}`));
    answer = { status: 'gone', error: { code: 'http_410', message: 'Gone.' } };
    const gone = await over(bus, await start(bus, { target: 'https://shadow/' }));
    expect(gone.counts).toMatchObject({ done: 0, failed: 3 });
    expect(bus.engine.subscriptions.get(ANONYMOUS, id).state).toBe('active');
    expect(closed).toContain('https://shadow/');
    expect(closed).not.toContain('https://live/');
  });

  it('says that the function is gone with its process', async () => {
    const world = durableWorld();
    const first = await world.open();
    const { handler } = recorder();
    await first.subscribe({ topic: '#', name: 'one', handler });
    await first.publishMany(5);
    await first.settled();
    const run = await start(first, { target: () => undefined, speed: 0.1 });
    first.crash();
    const second = await world.open();
    await second.subscribe({ topic: '#', name: 'one', handler });
    const ended = await over(second, run);
    expect([ended.state, ended.parts[0]?.error?.code]).toEqual(['failed', 'target_gone']);
    await second.close();
  });
});

describe('a replay that cannot go on', () => {
  it('fails alone where its endpoint cannot be reached any more, and deliveries go on', async () => {
    const world = durableWorld();
    const first = await world.open({
      webhookSink: () => sinkOf((batch) => batch.map(() => ({ status: 'delivered' }))),
    });
    const { handler, seen } = recorder();
    await first.subscribe({ topic: '#', name: 'one', handler });
    await first.publishMany(5);
    await first.settled();
    const run = await start(first, { target: 'https://shadow/', speed: 0.1 });
    first.crash();
    const second = await world.open();
    await second.subscribe({ topic: '#', name: 'one', handler });
    const ended = await over(second, run);
    expect([ended.state, ended.parts[0]?.error?.code]).toEqual(['failed', 'not_supported']);
    await second.publishMany(1, 6);
    await second.settled();
    expect(seen.at(-1)?.n).toBe(6);
    await second.close();
  });

  it.each(['run', 'progress'] as const)('fails alone where its %s record cannot be read', async (damaged) => {
    const world = durableWorld();
    const first = await world.open();
    const { handler, seen } = recorder();
    await first.subscribe({ topic: '#', name: 'one', handler });
    await first.publishMany(5);
    await first.settled();
    const run = await start(first, { speed: 0.1 });
    first.crash();
    world.kept.interfere = (call, [kind, keys]) => {
      const isIt = (key: string) => key.includes(run.id);
      if (call !== 'get' || kind !== damaged || !(keys as string[]).some(isIt)) return;
      throw new EventManagerError('corrupt_record', 'A stored value does not match its checksum.');
    };
    const second = await world.open();
    await second.subscribe({ topic: '#', name: 'one', handler });
    await second.time.advance(3_000);
    await second.publishMany(1, 6);
    await second.settled();
    expect(seen.at(-1)?.n).toBe(6);
    world.kept.interfere = () => {};
    const ended = await get(second, run);
    expect([ended.state, ended.parts[0]?.error?.code]).toEqual(['failed', 'corrupt_record']);
    await second.close();
  });

  it('ends where a log that has lost its end does, and counts the rest as removed', async () => {
    const before = durableWorld();
    const first = await before.open();
    const { handler, replayed } = recorder();
    await first.subscribe({ topic: '#', name: 'one', handler });
    await first.publishMany(5);
    await first.settled();
    const run = await start(first, { speed: 0.1 });
    first.crash();
    const short = durableWorld();
    const scratch = await short.open();
    await scratch.publishMany(2);
    await scratch.close();
    let reads = 0;
    short.kept.interfere = (call) => {
      if (call === 'read' && ++reads > 1_000) throw new EventManagerError('store_failed', 'It is read for ever.');
    };
    const adapter = { ...before.kept.connect(), store: short.kept.connect().store };
    const second = await openOn(adapter, before.time);
    await second.subscribe({ topic: '#', name: 'one', handler });
    const ended = await over(second, run);
    expect(ended.counts).toEqual({ total: 5, done: 2, failed: 0, skipped: 0, removed: 3 });
    expect([ended.state, [...new Set(replayed())]]).toEqual(['done', [1, 2]]);
    await second.close();
  });

  it.each(['done', 'cancelled'] as const)('lets a process close whose disk is full as it is %s', async (how) => {
    const world = durableWorld();
    const first = await world.open();
    const { handler } = recorder();
    await first.subscribe({ topic: '#', name: 'one', handler });
    await first.publishMany(5);
    await first.settled();
    let isFull = false;
    world.kept.interfere = (call, [changes]) => {
      if (call !== 'commit') return;
      const isEnd = ({ kind, value }: StateChange) =>
        kind === 'run-part' && (value as { state?: string } | undefined)?.state === how;
      isFull ||= (changes as readonly StateChange[]).some(isEnd);
      if (isFull) throw new EventManagerError('disk_full', 'The disk is full.');
    };
    const run = await start(first, { speed: how === 'done' ? 1_000 : 0.1 });
    const cancelling = how === 'done' ? undefined : first.engine.runs.cancel(ANONYMOUS, run.id);
    await first.time.advance(1_000);
    expect(isFull).toBe(true);
    let isClosed = false;
    const closed = () => {
      isClosed = true;
    };
    first.engine.close({ drainMs: 1_000 }).then(closed, closed);
    await first.time.advance(30_000);
    expect(isClosed).toBe(true);
    await cancelling;
    world.kept.interfere = () => {};
    const second = await world.open();
    await second.subscribe({ topic: '#', name: 'one', handler });
    await second.time.advance(2_000);
    expect((await get(second, run)).parts[0]?.state).toBe(how);
    await second.close();
  });

  it('leaves its process alone when another one removes the subscription while it begins', async () => {
    const engines = await SeveralEngines.of(2);
    const [, second] = engines.all;
    const { handler, seen } = recorder();
    const { id } = await second!.subscribe({ topic: '#', name: 'one', handler });
    await engines.time.advance(3_000);
    const owner = engines.ownerOf(id)!;
    const other = engines.all.find((bus) => bus !== owner)!;
    await owner.publishMany(5);
    await engines.time.advance(3_000);
    const state = engines.stateOf(owner);
    const read = state.get.bind(state);
    let isRemoved = false;
    state.get = async (kind, keys) => {
      const found = await read(kind, keys);
      if (kind === 'progress' && keys[0]!.includes('~') && !isRemoved) {
        isRemoved = true;
        await other.engine.subscriptions.unsubscribe(ANONYMOUS, id);
      }
      return found;
    };
    await start(other, { subscriptions: 'one' });
    await engines.time.advance(5_000);
    expect(isRemoved).toBe(true);
    await owner.subscribe({ topic: '#', name: 'two', handler });
    await owner.publishMany(1, 6);
    await engines.time.advance(5_000);
    expect(seen.at(-1)?.n).toBe(6);
    await engines.close();
  });
});
