import { ANONYMOUS, type EventHandler, EventManagerError } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { OPEN_PARTS_MAX, type ReplayTurn, ReplayTurns } from '../../../src/runs/replay/replay-turns.ts';
import type { Run } from '../../../src/runs/run.ts';
import { durableWorld, type EngineUnderTest, openMemory } from '../../open-engine.ts';

const SUBSCRIPTIONS = 2 * OPEN_PARTS_MAX + 8;

function start(of: EngineUnderTest, request: object = {}): Promise<Run> {
  return of.time.run(of.engine.runs.start(ANONYMOUS, 'replay', { all: true, ...request }));
}

function get(of: EngineUnderTest, { id }: Pick<Run, 'id'>): Promise<Run> {
  return of.time.run(of.engine.runs.get(ANONYMOUS, id));
}

async function over(of: EngineUnderTest, run: Run, limitMs = 600_000): Promise<Run> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 500) {
    const now = await get(of, run);
    if (now.endedAtMs !== undefined) return now;
    await of.time.advance(500);
  }
  throw new TypeError('The run did not end.');
}

const waitingIn = ({ parts }: Run) => parts.filter(({ waiting }) => waiting).length;

/** Subscriptions by number, each of which had the same five events. */
async function many(bus: EngineUnderTest, isDurable: boolean) {
  const replayed = new Map<number, string[]>();
  const answer: { handler: EventHandler } = { handler: () => undefined };
  const ids: string[] = [];
  for (let of = 0; of < SUBSCRIPTIONS; of++) {
    const handler: EventHandler = (event, context) => {
      if (context.replay) replayed.set(of, [...(replayed.get(of) ?? []), `${event.payload['n']}#${context.attempt}`]);
      return context.replay ? answer.handler(event, context) : undefined;
    };
    const name = isDurable ? { name: `s${String(of).padStart(3, '0')}` } : {};
    ids.push((await bus.subscribe({ topic: '#', ...name, handler, options: { maxConcurrency: 4 } })).id);
  }
  await bus.publishMany(5);
  await bus.settled();
  return { replayed, answer, ids };
}

const FIVE = ['1#1', '2#1', '3#1', '4#1', '5#1'];

describe('replays of more subscriptions than are open at a time', () => {
  it.each([
    ['that are kept', true],
    ['that end with their process', false],
  ])('are done by turns, each whole and once, for subscriptions %s', async (_which, isDurable) => {
    const bus = await (isDurable ? durableWorld().open() : openMemory());
    const { replayed, ids } = await many(bus, isDurable);
    // A receiver that takes nothing for now keeps its turn from nobody.
    for (const id of ids.slice(0, OPEN_PARTS_MAX)) await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    // Two at a time are through: each is closed with some of it done, and opened again.
    const run = await start(bus, { speed: 0.15 });
    const begun = await get(bus, run);
    expect(waitingIn(begun)).toBe(SUBSCRIPTIONS - OPEN_PARTS_MAX);
    await bus.time.advance(200_000);
    const half = await get(bus, run);
    expect(half.parts.filter(({ state }) => state === 'open').length - waitingIn(half)).toBeLessThanOrEqual(
      OPEN_PARTS_MAX,
    );
    const others = half.parts.filter(({ subscriptionId }) => !ids.slice(0, OPEN_PARTS_MAX).includes(subscriptionId));
    expect(others.every(({ counts }) => counts.done > 0)).toBe(true);
    for (const id of ids.slice(0, OPEN_PARTS_MAX)) await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    const ended = await over(bus, run);
    expect(ended).toMatchObject({ state: 'done', counts: { done: 5 * SUBSCRIPTIONS, failed: 0, skipped: 0 } });
    expect([...replayed.values()]).toEqual(Array(SUBSCRIPTIONS).fill(FIVE));
    await bus.close();
  });

  it('stand still and end while they wait', async () => {
    const bus = await durableWorld().open();
    const { replayed } = await many(bus, true);
    const first = await start(bus, { speed: 0.1 });
    const second = await start(bus);
    await bus.time.run(bus.engine.runs.pause(ANONYMOUS, second.id));
    expect(waitingIn(await get(bus, second))).toBe(0);
    const cancelled = await bus.time.run(bus.engine.runs.cancel(ANONYMOUS, first.id));
    expect([cancelled.state, new Set(cancelled.parts.map(({ state }) => state))]).toEqual([
      'cancelled',
      new Set(['cancelled']),
    ]);
    // Also as it is kept: nobody waits for anything any more.
    expect(waitingIn(cancelled)).toBe(0);
    expect(waitingIn(await get(bus, first))).toBe(0);
    replayed.clear();
    await bus.time.advance(30_000);
    expect(replayed.size).toBe(0);
    await bus.time.run(bus.engine.runs.resume(ANONYMOUS, second.id));
    expect((await over(bus, second)).counts.done).toBe(5 * SUBSCRIPTIONS);
    expect([...replayed.values()]).toEqual(Array(SUBSCRIPTIONS).fill(FIVE));
    await bus.close();
  });

  it('go on with what they have where the store takes nothing just when they are to be closed', async () => {
    const world = durableWorld();
    const bus = await world.open();
    const { replayed } = await many(bus, true);
    const run = await start(bus, { speed: 0.3 });
    let refused = 0;
    const fromMs = bus.time.monotonicMs() + 9_000;
    world.kept.interfere = (call, [changes]) => {
      const nowMs = bus.time.monotonicMs();
      if (call !== 'commit' || nowMs < fromMs || nowMs > fromMs + 6_000) return;
      if (!(changes as { key: string }[]).some(({ key }) => key.includes('/~'))) return;
      refused++;
      throw new EventManagerError('store_unavailable', 'The store is away.');
    };
    expect((await over(bus, run)).counts).toMatchObject({ done: 5 * SUBSCRIPTIONS, failed: 0 });
    expect(refused).toBeGreaterThan(5);
    expect([...replayed.values()]).toEqual(Array(SUBSCRIPTIONS).fill(FIVE));
    expect(bus.engine.metrics().runs.replayed).toBe(5 * SUBSCRIPTIONS);
    await bus.close();
  });

  it('let a small replay through beside a large one that stands still', async () => {
    const bus = await durableWorld().open();
    const { ids } = await many(bus, true);
    const large = await start(bus, { speed: 0.001 });
    const small = await start(bus, { subscriptions: ids.slice(-1) });
    expect((await over(bus, small, 30_000)).counts.done).toBe(5);
    expect((await get(bus, large)).state).toBe('running');
    await bus.close();
  });

  it('leave nothing behind where their process stops while they wait', async () => {
    const world = durableWorld();
    const bus = await world.open();
    await many(bus, true);
    const run = await start(bus, { speed: 0.5 });
    await bus.time.advance(4_000);
    await bus.close();
    const again = await world.open();
    const replayed: string[] = [];
    for (let of = 0; of < SUBSCRIPTIONS; of++) {
      const name = `s${String(of).padStart(3, '0')}`;
      await again.subscribe({
        topic: '#',
        name,
        options: { maxConcurrency: 4 },
        handler: ({ payload }) => void replayed.push(`${name} ${payload['n']}`),
      });
    }
    expect((await over(again, run)).counts).toMatchObject({ done: 5 * SUBSCRIPTIONS, failed: 0 });
    expect(replayed).toHaveLength(new Set(replayed).size);
    await again.close();
  });
});

describe('turns', () => {
  class Turn implements ReplayTurn {
    readonly runId: string;
    isPaused = false;
    begun = 0;
    asked = 0;

    constructor(runId: string) {
      this.runId = runId;
    }

    begin(): void {
      this.begun++;
    }

    giveUp(): void {
      this.asked++;
    }
  }

  it('are those of the run with the fewest first, and of the paused at once', async () => {
    const time = new VirtualTime();
    const turns = new ReplayTurns({ clock: time, timers: time });
    const large = Array.from({ length: OPEN_PARTS_MAX + 4 }, () => new Turn('large'));
    const small = new Turn('small');
    for (const turn of [...large, small]) turns.ask(turn);
    expect(turns.isWaiting(small)).toBe(true);
    large[3]!.isPaused = true;
    await time.advance(2_000);
    expect(large.map(({ asked }) => Math.min(1, asked))).toEqual(large.map((_, at) => (at === 3 ? 1 : 0)));
    turns.leave(large[3]!);
    expect([small.begun, large[OPEN_PARTS_MAX]!.begun]).toEqual([1, 0]);
    await time.advance(10_000);
    // Those that were open for long are asked, and only as many as wait.
    expect(large.filter(({ asked }, at) => at !== 3 && asked > 0)).toHaveLength(4);
  });
});
