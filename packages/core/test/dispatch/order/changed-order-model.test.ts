import { ANONYMOUS, EventManagerError, isEventManagerError } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, fixedRetry } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, FAILED, KeyedReceiver, REJECTED } from './keyed-receiver.ts';

const KEYS = 'abc';
const LIMITS = { laneEntriesMax: 6, queueMaxSize: 4, inFlightMax: 8 };
const ORDERS = [
  { order: 'none' },
  { order: 'topic' },
  { order: 'key' },
  { order: 'key', onFailure: 'park' },
  { order: 'topic', onFailure: 'skip' },
  { order: 'key', orderingKey: 'payload.n' },
] as const;

type Step =
  | { readonly do: 'publish'; readonly keys: string; readonly priority: 'CRITICAL' | 'NORMAL' | 'LOW' }
  | { readonly do: 'answer'; readonly key: string; readonly with: 'delivered' | 'failed' | 'rejected' | 'slow' }
  | { readonly do: 'wait' | 'full'; readonly ms: number }
  | { readonly do: 'crash' | 'close' | 'release' }
  | { readonly do: 'change'; readonly to: number };

const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish'),
      keys: fc.string({ unit: key, minLength: 1, maxLength: 20 }),
      priority: fc.constantFrom('CRITICAL', 'NORMAL', 'LOW'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('answer'),
      key,
      with: fc.constantFrom('delivered', 'failed', 'rejected', 'slow'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('wait', 'wait', 'full'), ms: fc.integer({ min: 0, max: 2_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('crash', 'close', 'release') }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('change'), to: fc.integer({ min: 0, max: ORDERS.length - 1 }) }),
  },
) as fc.Arbitrary<Step>;

class Run {
  readonly #world = durableWorld();
  readonly #receiver = new KeyedReceiver();
  readonly #answers = new Map<string, string>();
  readonly #attempts = new Map<number, number>();
  readonly #over = new Set<number>();
  readonly violations: string[] = [];
  #bus!: EngineUnderTest;
  #id = '';
  #published = 0;
  #fullUntilMs = 0;
  #life = 0;

  async start(): Promise<void> {
    this.#world.kept.interfere = (call) => {
      if (call !== 'commit' || this.#world.time.monotonicMs() >= this.#fullUntilMs) return;
      throw new EventManagerError('disk_full', 'The disk is full.');
    };
    this.#receiver.answer = ({ key: name, n, attempt }) => {
      const before = this.#attempts.get(n) ?? 0;
      if (attempt <= before) this.violations.push(`attempt ${attempt} of ${n} after ${before}`);
      this.#attempts.set(n, attempt);
      const how = this.#answers.get(name) ?? 'delivered';
      if (how === 'failed') return FAILED;
      if (how === 'rejected') return REJECTED;
      if (how === 'delivered') this.#over.add(n);
      if (how === 'delivered') return DELIVERED;
      const life = this.#life;
      return new Promise((resolve) => {
        this.#world.time.after(700, () => {
          if (life === this.#life) this.#over.add(n);
          resolve(DELIVERED);
        });
      });
    };
    await this.#open();
    const options = { maxConcurrency: 3, breaker: false, batchSize: 2, retryPolicy: fixedRetry(1_000, 400) };
    this.#id = (await this.#bus.subscribe({ name: 'model', endpoint: ENDPOINT, options })).id;
  }

  async take(given: Step): Promise<void> {
    const { subscriptions } = this.#bus.engine;
    switch (given.do) {
      case 'publish':
        return this.#publish(given.keys, given.priority);
      case 'answer':
        this.#answers.set(given.key, given.with);
        return;
      case 'wait':
        return this.#bus.time.advance(given.ms);
      case 'full':
        this.#fullUntilMs = this.#bus.time.monotonicMs() + given.ms;
        return;
      case 'release':
        return this.#tried(subscriptions.keys.releaseAll(ANONYMOUS, this.#id));
      case 'change':
        return this.#tried(subscriptions.update(ANONYMOUS, this.#id, { options: ORDERS[given.to]! }));
      default:
        if (given.do === 'close') await this.#tried(this.#bus.engine.close({ drainMs: 100 }));
        this.#bus.crash();
        return this.#open();
    }
  }

  /** The receiver takes everything from now on, and parked keys are released until none is left. */
  async finish(): Promise<void> {
    this.#answers.clear();
    this.#fullUntilMs = 0;
    const { keys } = this.#bus.engine.subscriptions;
    do await this.#bus.settled(3_600_000);
    while ((await this.#bus.time.run(keys.releaseAll(ANONYMOUS, this.#id))).released > 0);
    const letters = await this.#bus.deadLetters(this.#id);
    for (const { event } of letters) this.#over.add((JSON.parse(event) as { payload: { n: number } }).payload.n);
    for (let n = 1; n <= this.#published; n++) if (!this.#over.has(n)) this.violations.push(`${n} is lost`);
    const status = this.#bus.status(this.#id);
    expect(status).toMatchObject({ waiting: 0, owed: 0, inFlight: 0, lag: 0 });
    await this.#bus.close();
    for (const kind of ['blocked', 'owed'] as const) {
      expect((await this.#world.kept.kept.state.load(kind, { limit: 10 })).entries).toEqual([]);
    }
  }

  async #publish(keys: string, priority: 'CRITICAL' | 'NORMAL' | 'LOW'): Promise<void> {
    const inputs = [...keys].map((orderingKey, at) =>
      anEvent({ payload: { n: this.#published + at + 1 }, metadata: { orderingKey }, priority }),
    );
    this.#published += inputs.length;
    await this.#bus.time.run(this.#bus.engine.publishBatch(ANONYMOUS, inputs));
  }

  async #open(): Promise<void> {
    const life = ++this.#life;
    const sink = this.#receiver.sinkWhile(() => life === this.#life);
    this.#bus = await this.#world.open({ webhookSink: () => sink, limits: LIMITS });
  }

  /** A full disk may refuse it. */
  async #tried(work: Promise<unknown>): Promise<void> {
    try {
      await this.#bus.time.run(work);
    } catch (error) {
      if (!isEventManagerError(error, 'disk_full')) throw error;
    }
  }
}

it('loses nothing and counts attempts up, however often it changes what keeps its order', {
  timeout: 120_000,
}, async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const run = new Run();
    await run.start();
    for (const one of steps) await run.take(one);
    await run.finish();
    expect(run.violations).toEqual([]);
  });
  await fc.assert(property, { numRuns: Number(process.env['ORDER_RUNS'] ?? 40) });
});
