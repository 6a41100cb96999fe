/**
 * Many keys, a receiver that fails often, and a process that ends again and again: one engine after the other on the journal
 * over a simulated disk, in virtual time. What the receiver saw is held against a simple model: of each key the events come
 * one after the other, in the order of the log, and nobody waits for another key.
 */
import {
  ANONYMOUS,
  type Delivery,
  Engine,
  type EventIn,
  EventManagerError,
  type JsonObject,
  type Limits,
  type Outcome,
  type Sink,
} from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { SeededChance, SimulatedDisk, simulatedRuntime, type TimerScope, VirtualTime } from '@event-manager/testing';

export interface KeyedOrderPlan {
  readonly events: number;
  readonly keys: number;
  readonly failureShare: number;
  readonly restarts: number;
  readonly seed: number;
  readonly limits?: Partial<Limits>;
  /** Of the subscription. */
  readonly options?: JsonObject;
}

export interface KeyedOrderResult {
  /** First attempts of an event before the one before it of its key was taken. */
  readonly inversions: number;
  readonly lost: number;
  /** Attempts of an event with a number that was used before. */
  readonly repeatedAttempts: number;
  readonly attempts: number;
  readonly failures: number;
  /** Deliveries of events that had been taken already. */
  readonly duplicates: number;
  readonly crashes: number;
  /** The longest that an event waited although it was published and the one before it of its key was taken. */
  readonly waitMsMax: number;
  readonly virtualMs: number;
}

const BATCH = 50;
const PUBLISH_EVERY_MS = 100;
const TAKES_MS = 2;
const ENDPOINT = 'https://receiver.example/';

interface Known {
  readonly key: number;
  readonly before: number | undefined;
  publishedAtMs: number;
  seen: boolean;
  takenAtMs: number | undefined;
  /** When it was taken last: what is delivered again may fail again, and its key waits for it. */
  settledAtMs: number;
  attempt: number;
}

export async function runKeyedOrder(plan: KeyedOrderPlan): Promise<KeyedOrderResult> {
  const run = new KeyedOrderRun(plan);
  return run.finish();
}

class KeyedOrderRun {
  readonly #plan: KeyedOrderPlan;
  readonly #time = new VirtualTime();
  readonly #chance: SeededChance;
  readonly #disk: SimulatedDisk;
  readonly #known: Known[] = [];
  readonly #lastOf = new Map<number, number>();
  #engine: Engine | undefined;
  #timers: TimerScope | undefined;
  #die: () => void = () => {};
  #life = 0;
  /** Since when nothing disturbs. */
  #calmSinceMs = 0;
  #counts = { inversions: 0, repeatedAttempts: 0, attempts: 0, failures: 0, duplicates: 0, crashes: 0, waitMsMax: 0 };

  constructor(plan: KeyedOrderPlan) {
    this.#plan = plan;
    this.#chance = new SeededChance(plan.seed);
    this.#disk = new SimulatedDisk({ chance: this.#chance.fork('disk'), timers: this.#time });
  }

  async finish(): Promise<KeyedOrderResult> {
    const { events, restarts } = this.#plan;
    const startedAtMs = this.#time.monotonicMs();
    await this.#open();
    await this.#time.run(this.#engine!.subscriptions.subscribe(ANONYMOUS, this.#request()));
    const every = Math.ceil(events / (restarts + 1));
    for (let sent = 0; sent < events; sent += BATCH) {
      if (this.#life <= restarts && sent >= this.#life * every) await this.#restart();
      await this.#publish(Math.min(BATCH, events - sent));
      await this.#time.advance(PUBLISH_EVERY_MS);
    }
    await this.#time.run(this.#engine!.settled());
    await this.#time.run(this.#engine!.close());
    return {
      ...this.#counts,
      lost: this.#known.filter(({ takenAtMs }) => takenAtMs === undefined).length,
      virtualMs: this.#time.monotonicMs() - startedAtMs,
    };
  }

  #request() {
    const retryPolicy = { maxRetries: 1_000, backoffStrategy: 'fixed', initialDelay: 400, maxDelay: 400 };
    const options = { order: 'key', maxConcurrency: 100, retryPolicy, breaker: false, ...this.#plan.options };
    return { topic: '#', name: 'ordered', endpoint: ENDPOINT, options };
  }

  async #open(): Promise<void> {
    this.#life++;
    this.#timers = this.#time.scope();
    const mounted = this.#disk.mount();
    this.#die = this.#chance.happens(0.5) ? () => this.#disk.crash() : () => mounted.kill();
    const runtime = simulatedRuntime({ clock: this.#time, timers: this.#timers, chance: this.#chance });
    const life = this.#life;
    const opening = Engine.open({
      adapter: journal({ directory: '/data', disk: mounted, runtime }),
      runtime,
      webhookSink: () => this.#sink(life),
      ...(this.#plan.limits ? { limits: this.#plan.limits } : {}),
    });
    this.#engine = await this.#time.run(opening);
    this.#calmSinceMs = Number.POSITIVE_INFINITY;
    this.#watchCalm(life);
  }

  /** What may have been under way comes one at a time first; then nothing is left that could make others wait. */
  #watchCalm(life: number): void {
    this.#time.after(2_000, () => {
      if (this.#life === life) this.#calmSinceMs = this.#time.monotonicMs();
    });
  }

  async #restart(): Promise<void> {
    await this.#time.advance(this.#chance.integer(200));
    if (this.#chance.happens(0.2)) {
      await this.#time.run(this.#engine!.close({ drainMs: 50 }));
    } else {
      this.#counts.crashes++;
    }
    this.#timers!.end();
    this.#die();
    await this.#open();
  }

  async #publish(count: number): Promise<void> {
    const first = this.#known.length;
    const inputs: EventIn[] = [];
    for (let n = first; n < first + count; n++) {
      const key = this.#chance.integer(this.#plan.keys);
      this.#known.push({
        key,
        before: this.#lastOf.get(key),
        publishedAtMs: Number.POSITIVE_INFINITY,
        seen: false,
        takenAtMs: undefined,
        settledAtMs: 0,
        attempt: 0,
      });
      this.#lastOf.set(key, n);
      inputs.push({ type: 'order.changed', source: 'test', payload: { n }, metadata: { orderingKey: `key-${key}` } });
    }
    const results = await this.#time.run(this.#engine!.publishBatch(ANONYMOUS, inputs));
    for (const result of results) if (result instanceof EventManagerError) throw result;
    for (let n = first; n < first + count; n++) this.#known[n]!.publishedAtMs = this.#time.monotonicMs();
  }

  #sink(life: number): Sink {
    return {
      deliver: async (batch) => {
        // What a dead process still tries has no effect.
        if (this.#life !== life) return new Promise(() => {});
        const begun = batch.map((delivery) => this.#begin(delivery));
        await this.#time.wait(TAKES_MS);
        return begun.map((n) => this.#answer(n));
      },
      close: async () => {},
    };
  }

  #begin({ record, attempt }: Delivery): number {
    const { n } = (JSON.parse(Buffer.from(record.body).toString()) as { payload: { n: number } }).payload;
    const known = this.#known[n]!;
    const nowMs = this.#time.monotonicMs();
    this.#counts.attempts++;
    if (attempt <= known.attempt) this.#counts.repeatedAttempts++;
    known.attempt = attempt;
    if (known.takenAtMs !== undefined) this.#counts.duplicates++;
    if (!known.seen) this.#firstSeen(known, nowMs);
    known.seen = true;
    return n;
  }

  #firstSeen(known: Known, nowMs: number): void {
    const before = known.before === undefined ? undefined : this.#known[known.before]!;
    if (before && before.takenAtMs === undefined) this.#counts.inversions++;
    const mayBeginAtMs = Math.max(Math.min(known.publishedAtMs, nowMs), before?.settledAtMs ?? 0);
    if (mayBeginAtMs < this.#calmSinceMs) return;
    if (process.env['DBG'] && nowMs - mayBeginAtMs > 100)
      console.log('WAIT', nowMs, nowMs - mayBeginAtMs, known, before, this.#calmSinceMs);
    this.#counts.waitMsMax = Math.max(this.#counts.waitMsMax, nowMs - mayBeginAtMs);
  }

  #answer(n: number): Outcome {
    const known = this.#known[n]!;
    if (this.#chance.happens(this.#plan.failureShare)) {
      this.#counts.failures++;
      return { status: 'retry', error: { code: 'down', message: 'The receiver says no.' } };
    }
    known.settledAtMs = this.#time.monotonicMs();
    known.takenAtMs ??= known.settledAtMs;
    return { status: 'delivered' };
  }
}
