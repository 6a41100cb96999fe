import { type Lease, memory } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import type { ActiveSubscription } from '../../src/dispatch/active-subscription.ts';
import { ANONYMOUS } from '../../src/principal.ts';
import type { PartAssignment, PartDriver, RunRoom } from '../../src/runs/part-driver.ts';
import type { RunPart } from '../../src/runs/run.ts';
import { Runs } from '../../src/runs/runs.ts';
import { runtimeOn } from '../open-engine.ts';

const GOAL = 5;
const STEP_MS = 100;

/** Counts to five, a number every 100 ms, each of them durable. */
class Counting implements PartDriver {
  part: RunPart;
  readonly #assignment: PartAssignment;
  readonly #time: VirtualTime;
  #isRunning = false;
  #isOver = false;
  #step: Promise<void> = Promise.resolve();

  constructor(assignment: PartAssignment, time: VirtualTime) {
    this.#assignment = assignment;
    this.part = assignment.part;
    this.#time = time;
  }

  resume(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#next();
  }

  pause(): void {
    this.#isRunning = false;
  }

  async cancel(): Promise<void> {
    await this.stop();
    await this.#assignment.commit({ ...this.part, state: 'cancelled', endedAtMs: this.#time.wallMs() });
  }

  async stop(): Promise<void> {
    this.drop();
    await this.#step;
  }

  drop(): void {
    this.#isRunning = false;
    this.#isOver = true;
  }

  #next(): void {
    this.#time.after(STEP_MS, () => {
      if (this.#isRunning) this.#step = this.#count();
    });
  }

  async #count(): Promise<void> {
    const done = this.part.counts.done + 1;
    const counts = { ...this.part.counts, done };
    const isLast = done === GOAL;
    const ended = isLast ? { state: 'done' as const, endedAtMs: this.#time.wallMs() } : {};
    const part = { ...this.part, counts, ...ended };
    await this.#assignment.commit(part);
    this.part = part;
    if (isLast) this.#assignment.onEnded();
    else if (!this.#isOver) this.#next();
  }
}

async function world() {
  const time = new VirtualTime();
  const adapter = memory({ runtime: { clock: time } });
  await adapter.open();
  const failures: unknown[] = [];
  const driven: string[] = [];
  const processOf = (isShared: boolean) => {
    const replay: RunRoom = {
      prepare: async (_principal, input) => ({
        request: {},
        parts: (input as string[]).map((subscriptionId) => ({
          ...{ subscriptionId, at: {} },
          counts: { total: GOAL, done: 0, failed: 0, skipped: 0 },
        })),
      }),
      drive: (assignment) => {
        driven.push(assignment.run.id);
        return new Counting(assignment, time);
      },
    };
    const runtime = runtimeOn(time, time.scope());
    const onFailure = (error: unknown) => failures.push(error);
    return new Runs({ state: adapter.state, runtime, isShared, rooms: { replay }, onFailure });
  };
  return { time, adapter, failures, driven, processOf };
}

/** Runs need no more of it. */
function subscription(id: string, lease?: Lease): ActiveSubscription {
  return { id, lease } as unknown as ActiveSubscription;
}

describe('runs', () => {
  it('are done part by part, by whoever serves the subscription, and say how far they are', async () => {
    const { time, failures, processOf } = await world();
    const runs = processOf(false);
    runs.served(subscription('a'));
    const { id } = await runs.start(ANONYMOUS, 'replay', ['a', 'b']);
    await time.advance(3 * STEP_MS);
    const half = await runs.get(ANONYMOUS, id);
    expect([half.state, half.counts]).toEqual(['running', { total: 10, done: 3, failed: 0, skipped: 0 }]);
    runs.served(subscription('b'));
    await time.advance(10 * STEP_MS);
    const over = await runs.get(ANONYMOUS, id);
    expect([over.state, over.counts.done, over.parts.map(({ state }) => state)]).toEqual([
      'done',
      10,
      ['done', 'done'],
    ]);
    expect(over.endedAtMs).toBeGreaterThan(over.createdAtMs);
    expect(failures).toEqual([]);
  });

  it('are done once, also when a part ends while it is looked at', async () => {
    const { time, adapter, failures, driven, processOf } = await world();
    const { state } = adapter;
    const get = state.get.bind(state);
    let isSlow = false;
    state.get = async (kind, keys) => {
      const found = await get(kind, keys);
      // Only the look at what is wanted: that of the parts has happened by then.
      if (isSlow && kind === 'run') await new Promise<void>((resolve) => time.after(3 * STEP_MS, resolve));
      return found;
    };
    const runs = processOf(false);
    runs.served(subscription('a'));
    const { id } = await runs.start(ANONYMOUS, 'replay', ['a']);
    await time.advance((GOAL - 1) * STEP_MS);
    isSlow = true;
    // Another one has the subscription looked at, its open parts first.
    await time.run(runs.start(ANONYMOUS, 'replay', ['a']));
    await time.advance(4 * STEP_MS);
    isSlow = false;
    await time.advance(20 * STEP_MS);
    const run = await runs.get(ANONYMOUS, id);
    expect([run.state, run.counts.done]).toEqual(['done', GOAL]);
    expect(driven.filter((of) => of === id)).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it('stand still while paused, and remember who said so', async () => {
    const { time, processOf } = await world();
    const runs = processOf(false);
    runs.served(subscription('a'));
    const { id } = await runs.start(ANONYMOUS, 'replay', ['a']);
    await time.advance(2 * STEP_MS);
    await runs.pause({ id: 'ada', kind: 'user' }, id);
    await time.advance(10 * STEP_MS);
    const paused = await runs.get(ANONYMOUS, id);
    expect([paused.state, paused.counts.done]).toEqual(['paused', 2]);
    await runs.resume({ id: 'bob', kind: 'user' }, id);
    await time.advance(10 * STEP_MS);
    const over = await runs.get(ANONYMOUS, id);
    expect(over.state).toBe('done');
    expect(over.words.map(({ what, by }) => `${by} ${what}`)).toEqual([
      'anonymous started',
      'ada paused',
      'bob resumed',
    ]);
  });

  it('end where they are when they are cancelled, once', async () => {
    const { time, processOf } = await world();
    const runs = processOf(false);
    runs.served(subscription('a'));
    const { id } = await runs.start(ANONYMOUS, 'replay', ['a']);
    await time.advance(2 * STEP_MS);
    expect((await runs.cancel(ANONYMOUS, id)).state).toBe('cancelled');
    await time.advance(10 * STEP_MS);
    expect((await runs.get(ANONYMOUS, id)).counts.done).toBe(2);
    expect((await runs.cancel(ANONYMOUS, id)).words).toHaveLength(2);
    await expect(runs.resume(ANONYMOUS, id)).rejects.toMatchObject({ code: 'run_ended' });
  });

  it('go on in the process that takes the subscription over, with what was said to another one', async () => {
    const { time, adapter, failures, processOf } = await world();
    const [first, second] = [processOf(true), processOf(true)];
    const lease = async (owner: string) => (await adapter.state.acquire(['a'], { owner, ttlMs: 6_000 }))[0]!;
    const held = await lease('first');
    first.served(subscription('a', held));
    const { id } = await second.start(ANONYMOUS, 'replay', ['a']);
    first.poke();
    await time.advance(2 * STEP_MS + 1);
    expect((await second.get(ANONYMOUS, id)).counts.done).toBe(2);
    await second.pause(ANONYMOUS, id);
    first.poke();
    await time.advance(10 * STEP_MS);
    expect((await second.get(ANONYMOUS, id)).counts.done).toBe(2);
    await first.leaving('a', 0);
    await adapter.state.release([held]);
    await second.resume(ANONYMOUS, id);
    second.served(subscription('a', await lease('second')));
    await time.advance(10 * STEP_MS);
    expect((await first.get(ANONYMOUS, id)).state).toBe('done');
    expect(failures).toEqual([]);
  });

  it('that are unknown, or of a kind that nobody does, are refused', async () => {
    const { processOf } = await world();
    const runs = processOf(false);
    await expect(runs.get(ANONYMOUS, 'x')).rejects.toMatchObject({ code: 'run_not_found' });
    await expect(runs.start(ANONYMOUS, 'discard', ['a'])).rejects.toMatchObject({ code: 'not_supported' });
  });
});
