import { ANONYMOUS, type DebtRemovals, type Event } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry } from '../open-engine.ts';

const MINUTE = 60_000;
const AGE_MS = 3 * MINUTE;
const OWED_AGE_MS = 15 * MINUTE;
const POINTS = [
  'retention.before-commit',
  'retention.after-commit',
  'checkpoint.before-commit',
  'checkpoint.after-commit',
];

/** Subscriptions of different ways to owe something for long. */
const SUBSCRIPTIONS = [
  { name: 'plain', topic: 'a.#', options: {} },
  { name: 'urgent', topic: '#', options: { priority: 'HIGH' } },
  { name: 'ordered', topic: '#', options: { order: 'topic' } },
  { name: 'other', topic: 'b.x', options: { batchSize: 3, inFlightMax: 5 } },
] as const;
type Name = (typeof SUBSCRIPTIONS)[number]['name'];
const TOPICS = ['a.x', 'a.y', 'b.x'];

type Step =
  | { readonly do: 'publish'; readonly topic: string; readonly priority: 0 | 1 | 2 | 3; readonly count: number }
  | { readonly do: 'pause' | 'resume' | 'detach' | 'attach' | 'break' | 'mend'; readonly name: Name }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'crashAt'; readonly point: string; readonly hit: number };

const name = fc.constantFrom(...SUBSCRIPTIONS.map((subscription) => subscription.name));
const STEP = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('publish'),
      topic: fc.constantFrom(...TOPICS),
      priority: fc.constantFrom(0, 1, 2, 3),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'detach', 'attach', 'break', 'mend'), name }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), minutes: fc.integer({ min: 1, max: 10 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crashAt'),
      point: fc.constantFrom(...POINTS),
      hit: fc.integer({ min: 1, max: 2 }),
    }),
  },
) as fc.Arbitrary<Step>;

interface Known {
  readonly position: number;
  readonly atMs: number;
  readonly topic: string;
  readonly priority: number;
}

class World {
  readonly world = durableWorld();
  under!: EngineUnderTest;
  crashes = 0;
  reached = 0;
  readonly known: Known[] = [];
  readonly delivered = new Map<Name, Set<number>>(SUBSCRIPTIONS.map((subscription) => [subscription.name, new Set()]));
  readonly broken = new Set<Name>();
  readonly ids = new Map<Name, string>();
  readonly violations: string[] = [];
  #attached = new Set<Name>();
  #point = '';
  #hits = 0;

  constructor() {
    this.world.kept.interfere = async (call, args) => {
      if (call === 'trim') await this.#checkTrim((args[0] as { position: number }[])[0]!.position);
    };
  }

  async open(): Promise<void> {
    const retention = { ageMs: AGE_MS, owedAgeMs: OWED_AGE_MS };
    this.under = await this.world.open({ retention, failpoint: (point) => this.#reach(point) });
    this.#attached = new Set();
    for (const subscription of SUBSCRIPTIONS) await this.attach(subscription.name);
  }

  async attach(wanted: Name): Promise<void> {
    if (this.#attached.has(wanted)) return;
    const { topic, options } = SUBSCRIPTIONS.find((subscription) => subscription.name === wanted)!;
    const handler = (event: Event) => {
      if (this.broken.has(wanted)) throw new Error('broken');
      this.delivered.get(wanted)!.add((event.payload as { n: number }).n);
    };
    const request = { name: wanted, topic, options: { ...options, retryPolicy: fixedRetry(1_000, MINUTE) } };
    const given =
      'batchSize' in options ? { batchHandler: (batch: readonly Event[]) => batch.forEach(handler) } : { handler };
    const subscribing = this.under.engine.subscriptions.subscribe(ANONYMOUS, { ...request, ...given });
    const definition = await this.call(subscribing);
    if (!definition) return;
    this.#attached.add(wanted);
    this.ids.set(wanted, definition.id);
  }

  async detach(wanted: Name): Promise<void> {
    if (!this.#attached.delete(wanted)) return;
    await this.call(this.under.engine.subscriptions.detach(ANONYMOUS, this.ids.get(wanted)!));
  }

  crashAt(point: string, hits: number): void {
    this.#point = point;
    this.#hits = hits;
  }

  /** `undefined` when the process ended meanwhile. */
  async call<T>(work: Promise<T>): Promise<T | undefined> {
    let answer: { value: T } | { error: unknown } | undefined;
    work.then(
      (value) => (answer = { value }),
      (error: unknown) => (answer = { error }),
    );
    const { under } = this;
    await this.world.time.runUntil(() => answer !== undefined || !under.isAlive);
    if (!under.isAlive || !answer) return undefined;
    if ('error' in answer) throw answer.error;
    return answer.value;
  }

  matching(wanted: Name): Known[] {
    return this.known.filter(({ topic, priority }) => {
      if (wanted === 'plain') return topic.startsWith('a.');
      return wanted === 'urgent' ? priority <= 1 : wanted === 'ordered' || topic === 'b.x';
    });
  }

  async removals(wanted: Name): Promise<DebtRemovals> {
    const { state } = this.world.kept.kept;
    const [kept] = await state.get('debt-removal', [`${this.ids.get(wanted)}/0`]);
    return (kept?.value ?? { count: 0, ranges: [] }) as unknown as DebtRemovals;
  }

  async missing(wanted: Name): Promise<{ undelivered: Known[]; unexplained: Known[]; counted: number }> {
    const { count, ranges } = await this.removals(wanted);
    const undelivered = this.matching(wanted).filter(({ position }) => !this.delivered.get(wanted)!.has(position));
    const unexplained = undelivered.filter(
      ({ position }) => !ranges.some(({ from, through }) => from <= position && position <= through),
    );
    return { undelivered, unexplained, counted: count };
  }

  /** Whatever leaves the log is old enough, and was delivered to everybody or is on record as removed by then. */
  async #checkTrim(through: number): Promise<void> {
    const nowMs = this.world.time.wallMs();
    const young = this.known.find(({ position, atMs }) => position <= through && nowMs - atMs <= AGE_MS);
    if (young) this.violations.push(`${young.position} is not due`);
    for (const subscription of SUBSCRIPTIONS) {
      const { unexplained } = await this.missing(subscription.name);
      const lost = unexplained.find(({ position }) => position <= through);
      if (lost) this.violations.push(`${subscription.name} loses ${lost.position} without a record`);
    }
  }

  #reach(point: string): void {
    if (point !== this.#point || --this.#hits > 0) return;
    this.#point = '';
    this.reached += Number(point.startsWith('retention'));
    this.crashes++;
    this.under.crash();
  }
}

async function take(world: World, step: Step): Promise<void> {
  const { engine } = world.under;
  switch (step.do) {
    case 'publish': {
      const { topic, priority } = step;
      for (let n = 0; n < step.count && world.under.isAlive; n++) {
        // An unanswered one would be a guess: the number of an event is its position.
        const position = (await world.world.kept.kept.store.bounds())[0]!.head + 1;
        const event = { type: 't', source: 's', topic, priority, payload: { n: position } };
        world.known.push({ position, atMs: world.world.time.wallMs(), topic, priority });
        await world.call(engine.publish(ANONYMOUS, event));
        if ((await world.world.kept.kept.store.bounds())[0]!.head < position) world.known.pop();
      }
      return;
    }
    case 'pause':
      await world.call(engine.subscriptions.pause(ANONYMOUS, world.ids.get(step.name)!));
      return;
    case 'resume':
      await world.call(engine.subscriptions.resume(ANONYMOUS, world.ids.get(step.name)!));
      return;
    case 'detach':
      return world.detach(step.name);
    case 'attach':
      return world.attach(step.name);
    case 'break':
      world.broken.add(step.name);
      return;
    case 'mend':
      world.broken.delete(step.name);
      return;
    case 'wait':
      return world.world.time.advance(step.minutes * MINUTE);
    case 'crashAt':
      return world.crashAt(step.point, step.hit);
  }
}

it('loses nothing without a record, removes only what is due, and counts right, whatever ends the process where', async () => {
  let reached = 0;
  let removed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 8, maxLength: 40 }), async (steps) => {
      const world = new World();
      await world.open();
      for (const step of steps) {
        while (!world.under.isAlive) await world.open();
        await take(world, step);
      }
      world.crashAt('', 0);
      while (!world.under.isAlive) await world.open();
      world.broken.clear();
      for (const subscription of SUBSCRIPTIONS) {
        await world.attach(subscription.name);
        await world.call(world.under.engine.subscriptions.resume(ANONYMOUS, world.ids.get(subscription.name)!));
      }
      await world.under.settled();
      expect(world.violations).toEqual([]);
      for (const subscription of SUBSCRIPTIONS) {
        const { undelivered, unexplained, counted } = await world.missing(subscription.name);
        expect(unexplained, subscription.name).toEqual([]);
        expect(counted).toBeGreaterThanOrEqual(undelivered.length);
        if (world.crashes === 0) expect(counted, subscription.name).toBe(undelivered.length);
        removed += counted;
      }
      reached += world.reached;
      await world.under.close();
    }),
    { numRuns: 100 },
  );
  expect(removed).toBeGreaterThan(100);
  expect(reached).toBeGreaterThan(0);
}, 100_000);
