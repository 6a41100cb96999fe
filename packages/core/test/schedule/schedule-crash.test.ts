import { ANONYMOUS, type Event, type EventManagerError } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest } from '../open-engine.ts';

const MINUTE = 60_000;
const POINTS = ['schedule.before-commit', 'schedule.after-commit', 'schedule.before-removal', 'schedule.after-removal'];

type Step =
  | { readonly do: 'publish'; readonly id: number; readonly delayMs: number }
  | { readonly do: 'cancel'; readonly id: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'crashAt'; readonly point: string; readonly hit: number }
  | { readonly do: 'crash' };

const id = fc.integer({ min: 0, max: 9 });
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish'), id, delayMs: fc.integer({ min: 0, max: 2 * MINUTE }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel'), id }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 0, max: MINUTE }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump'), ms: fc.integer({ min: -MINUTE, max: MINUTE }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('crashAt'),
      point: fc.constantFrom(...POINTS),
      hit: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
) as fc.Arbitrary<Step>;

const uuid = (n: number) => `0198c0de-0000-7000-8000-00000000000${n}`;

/** One process after the other on the same data, and what their clients heard. */
class World {
  readonly world = durableWorld();
  under!: EngineUnderTest;
  /** Heard "accepted". */
  readonly acknowledged = new Set<number>();
  readonly cancelled = new Set<number>();
  /** A crash ended the call, so nobody knows. */
  readonly unknown = new Set<number>();
  readonly delivered: string[] = [];
  reached = 0;
  #point = '';
  #hits = 0;

  async open(): Promise<void> {
    this.under = await this.world.open({ failpoint: (name) => this.#reach(name) });
    const handler = (event: Event) => void this.delivered.push(event.id);
    await this.under.subscribe({ name: 'reader', handler, options: { startFrom: 'earliest' } });
  }

  crashAt(point: string, hits: number): void {
    this.#point = point;
    this.#hits = hits;
  }

  async restart(): Promise<void> {
    this.#point = '';
    await this.open();
  }

  /** `undefined` when the process ended meanwhile. */
  async call<T>(work: Promise<T>): Promise<T | EventManagerError | undefined> {
    let answer: { value: T | EventManagerError } | undefined;
    work.then(
      (value) => (answer = { value }),
      (error: EventManagerError) => (answer = { value: error }),
    );
    const { under } = this;
    await this.world.time.runUntil(() => answer !== undefined || !under.isAlive);
    return under.isAlive ? answer!.value : undefined;
  }

  #reach(name: string): void {
    if (name !== this.#point || --this.#hits > 0) return;
    this.#point = '';
    this.reached++;
    this.under.crash();
  }
}

async function take(world: World, step: Step): Promise<void> {
  const { under } = world;
  switch (step.do) {
    case 'publish': {
      const event = anEvent({ id: uuid(step.id), delayMs: step.delayMs });
      const answer = await world.call(under.engine.publish(ANONYMOUS, event));
      if (answer === undefined) world.unknown.add(step.id);
      else {
        expect(answer).not.toBeInstanceOf(Error);
        world.acknowledged.add(step.id);
        // Whatever was cancelled before, it is there again.
        if (!(answer as { duplicate: boolean }).duplicate) world.cancelled.delete(step.id);
      }
      return;
    }
    case 'cancel': {
      const before = world.delivered.includes(uuid(step.id));
      const answer = await world.call(under.engine.schedule.cancel(ANONYMOUS, uuid(step.id)));
      if (answer === undefined) world.unknown.add(step.id);
      else if (answer === true) {
        expect(before).toBe(false);
        world.cancelled.add(step.id);
        world.acknowledged.delete(step.id);
        world.unknown.delete(step.id);
      }
      return;
    }
    case 'wait':
      return world.world.time.advance(step.ms);
    case 'jump':
      return world.world.time.jumpWall(step.ms);
    case 'crashAt':
      return world.crashAt(step.point, step.hit);
    case 'crash':
      return under.crash();
  }
}

it('delivers what was acknowledged once, and nothing that was cancelled in time, whatever ends the process where', async () => {
  let reached = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 40 }), async (steps) => {
      const world = new World();
      await world.open();
      for (const step of steps) {
        if (!world.under.isAlive) await world.restart();
        await take(world, step);
      }
      if (!world.under.isAlive) await world.restart();
      world.crashAt('', 0);
      // Long enough for every delay behind a clock that was set back.
      for (let minutes = 0; minutes < 60; minutes++) await world.world.time.advance(MINUTE);
      await world.under.settled();
      reached += world.reached;
      const stored = new Set<string>();
      const { records } = await world.world.time.run(
        world.world.kept.kept.store.read(0, 0, { limit: 1_000, bytesMax: 1e9 }),
      );
      for (const record of records) {
        expect(stored.has(record.id), 'appended twice').toBe(false);
        stored.add(record.id);
      }
      for (const n of world.acknowledged) expect(world.delivered).toContain(uuid(n));
      for (const n of world.cancelled)
        if (!world.unknown.has(n)) expect(stored.has(uuid(n)), `cancelled ${n}`).toBe(false);
      expect(world.under.engine.schedule.counts.waiting).toBe(0);
      const kept = await world.world.time.run(world.world.kept.kept.state.load('schedule-event', { limit: 10 }));
      expect(kept.entries).toEqual([]);
      await world.under.close();
    }),
    { numRuns: 150 },
  );
  expect(reached).toBeGreaterThan(40);
});
