/**
 * One subscription with its engine on the adapter under test, and everything a test does to it.
 *
 * The engine runs on virtual time, the adapter on whatever its harness gives it, which may be real files. So time only
 * moves while no call of the adapter is under way: what the engine does depends on the adapter's answers and never on how
 * long they took. The harness is told of every step, so that leases run out on both sides together.
 */
import { Buffer } from 'node:buffer';
import {
  ANONYMOUS,
  type Appendable,
  type DeadLetter,
  Engine,
  type EventIn,
  EventManagerError,
  type JsonObject,
  type Lane,
  type Limits,
  type PlantedBug,
  type StateChange,
  type SubscriptionStatus,
} from '@event-manager/core';
import { SeededChance } from '../seeded-chance.ts';
import { simulatedRuntime } from '../simulated-runtime.ts';
import { type TimerScope, VirtualTime } from '../virtual-time.ts';
import { GatedAdapter } from './local-queue-gate.ts';
import { Receiver, type Seen } from './local-queue-receiver.ts';
import { sampleId } from './sample-event.ts';
import type { Subject } from './subject.ts';

const STEP_MS = 5;
/** Far longer than any wait of these tests: reaching it means that what is waited for does not come. */
const LIMIT_MS = 20 * 60 * 1000;
/** Turns without an answer after which the adapter may be one that waits for its own clock. */
const PATIENCE_TURNS = 200;

export interface RigOptions {
  readonly limits?: Partial<Limits>;
  /** Of the subscription. */
  readonly options?: JsonObject;
  readonly filter?: JsonObject;
}

/** An event that was acknowledged. */
export interface Sent {
  readonly id: string;
  readonly lane: Lane;
  readonly source: string;
  readonly expiresAtMs: number | undefined;
}

/** The durable record of a lane: up to `scanned`, and in the ranges `settled`, nothing is left; above `reserved` nothing was tried. */
export interface LaneRecord {
  readonly scanned: number;
  readonly reserved: number;
  readonly settled: readonly (readonly [from: number, through: number])[];
}

export interface QueueRecords {
  readonly lanes: readonly LaneRecord[];
  readonly owed: ReadonlyMap<number, JsonObject>;
  readonly letters: readonly DeadLetter[];
}

export type StartRig = (options?: RigOptions) => Promise<QueueRig>;

export class QueueRig {
  readonly subject: Subject;
  readonly time = new VirtualTime();
  readonly receiver = new Receiver();
  readonly acknowledged = new Map<string, Sent>();
  /** The bytes handed to the log, by id. */
  readonly appended = new Map<string, Buffer>();
  /** Attempts that no durable record covered when they were made. */
  readonly uncovered: Seen[] = [];
  onFailpoint: (name: string) => void = () => {};
  /** Numbers the engines, from 1. */
  life = 0;
  /** Those that were killed. */
  readonly killed = new Set<number>();
  id = '';
  readonly #given: RigOptions;
  readonly #planted: readonly PlantedBug[];
  readonly #chance = new SeededChance(1);
  #engine: Engine | undefined;
  #gate: GatedAdapter | undefined;
  #timers: TimerScope | undefined;
  #heldCommits: Promise<void> | undefined;
  #durableLanes: readonly LaneRecord[] = [];
  readonly #durableOwed = new Map<string, JsonObject>();
  #nextSample = 0;

  private constructor(subject: Subject, given: RigOptions, planted: readonly PlantedBug[]) {
    this.subject = subject;
    this.#given = given;
    this.#planted = planted;
    this.receiver.onSeen = (seen) => {
      if (!this.#isCovered(seen)) this.uncovered.push(seen);
    };
  }

  static async start(subject: Subject, given: RigOptions, planted: readonly PlantedBug[]): Promise<QueueRig> {
    const rig = new QueueRig(subject, given, planted);
    await rig.open();
    const { options = {}, filter } = given;
    const request = {
      name: 'conformance',
      topic: 'queue/#',
      endpoint: 'https://receiver.example/',
      ...(filter ? { filter } : {}),
      // What a queue owes is looked at here, not how long a breaker lets it wait.
      options: { maxConcurrency: 1, retryPolicy: everySecond(3), breaker: false, ...options },
    };
    rig.id = (await rig.run(rig.engine.subscriptions.subscribe(ANONYMOUS, request))).id;
    await rig.until(() => rig.engine.isServing(rig.id));
    return rig;
  }

  get engine(): Engine {
    if (!this.#engine) throw new TypeError('No engine is open.');
    return this.#engine;
  }

  get status(): SubscriptionStatus {
    return this.engine.subscriptions.status(ANONYMOUS, this.id);
  }

  /** True until the engine was killed. */
  get isAlive(): boolean {
    return this.#gate?.isAlive === true;
  }

  async open(): Promise<void> {
    const life = ++this.life;
    const gate = new GatedAdapter(this.subject.adapter, {
      asked: (call) => (call === 'commit' ? this.#heldCommits : undefined),
      done: (call, given) => this.#done(call, given),
    });
    this.#gate = gate;
    this.#timers = this.time.scope();
    const runtime = simulatedRuntime({
      clock: this.time,
      timers: this.#timers,
      chance: this.#chance,
      failpoint: (name) => {
        if (gate.isAlive) this.onFailpoint(name);
      },
      planted: this.#planted,
    });
    const opening = Engine.open({
      adapter: gate,
      runtime,
      owner: `life-${life}`,
      ...(this.#given.limits ? { limits: this.#given.limits } : {}),
      webhookSink: () => this.receiver.sink(life, () => gate.isAlive),
    });
    // What it takes up again may end it before it has opened.
    if (await this.survives(opening)) this.#engine = await opening;
  }

  /** Ends the engine in order; false when it was killed on the way. What the adapter holds can be looked at until `open`. */
  async close(): Promise<boolean> {
    if (!(await this.survives(this.engine.close()))) return false;
    this.#end();
    return true;
  }

  /** Ends the engine as it is in the middle of whatever it does, like a process that is killed. */
  kill(): void {
    this.killed.add(this.life);
    this.#end();
  }

  /** Kills the engine, and what its process had of the adapter where the harness can do that. */
  async crash(): Promise<void> {
    this.kill();
    this.onFailpoint = () => {};
    // Without a way to kill the adapter too, what reached it is finished: only then somebody else may look.
    if (!this.subject.opened.crash) await this.drain();
    await this.subject.throughCrash();
  }

  /** Between two halves of a test: another engine, on an adapter that was opened again in the mode `reopened`. */
  async restart(): Promise<void> {
    await this.close();
    await this.subject.throughReopen();
    await this.open();
  }

  async pause(): Promise<void> {
    await this.run(this.engine.subscriptions.pause(ANONYMOUS, this.id));
  }

  async resume(): Promise<void> {
    await this.run(this.engine.subscriptions.resume(ANONYMOUS, this.id));
  }

  /** Publishes so many events, in one call, and resolves when they are acknowledged. */
  publish(count: number, fields: Partial<EventIn> & { priority?: Lane } = {}): Promise<Sent[]> {
    return this.run(this.publishSoon(count, fields));
  }

  /** The same without driving the time: somebody else must. */
  async publishSoon(count: number, fields: Partial<EventIn> & { priority?: Lane } = {}): Promise<Sent[]> {
    const inputs = Array.from({ length: count }, () => {
      const n = this.#nextSample++;
      const payload = { n, text: `event ${n} Ü` };
      return { type: 'queue.sample', source: 'conformance', payload, id: sampleId(n), ...fields };
    });
    const results = await this.engine.publishBatch(ANONYMOUS, inputs);
    return results.map((result, at) => {
      if (result instanceof EventManagerError) throw result;
      const { id, source, priority = 2, metadata } = inputs[at]! as EventIn & { id: string; priority?: Lane };
      const sent = { id, source, lane: priority, expiresAtMs: metadata?.expiresAt as number | undefined };
      this.acknowledged.set(id, sent);
      return sent;
    });
  }

  /** Lets commits wait until the returned function is called. */
  holdCommits(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#heldCommits = promise;
    return () => {
      this.#heldCommits = undefined;
      resolve();
    };
  }

  /** Resolves when everything acknowledged is settled, durably. */
  settled(): Promise<void> {
    return this.run(this.engine.settled());
  }

  /** Drives until `work` is done and gives its result. */
  async run<T>(work: Promise<T>): Promise<T> {
    const hasEnded = watchEnd(work);
    await this.until(hasEnded);
    return work;
  }

  /** The same for work that the engine may not survive: false when it was killed before. */
  async survives(work: Promise<unknown>): Promise<boolean> {
    const hasEnded = watchEnd(work);
    await this.until(() => hasEnded() || !this.isAlive);
    if (!hasEnded()) return false;
    await work;
    return this.isAlive;
  }

  async until(condition: () => boolean): Promise<void> {
    const endMs = this.time.monotonicMs() + LIMIT_MS;
    for (;;) {
      await this.drain();
      if (condition()) return;
      if (this.time.monotonicMs() >= endMs) throw new RangeError('What the test waits for did not come.');
      await this.#step(STEP_MS);
    }
  }

  async elapse(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
      await this.drain();
      await this.#step(Math.min(STEP_MS, leftMs));
    }
    await this.drain();
  }

  /** Lets everything happen that needs no time. */
  async drain(): Promise<void> {
    let turns = 0;
    do {
      await this.time.settle();
      if (++turns % PATIENCE_TURNS === 0) await this.subject.opened.elapse(1);
    } while (this.#gate !== undefined && this.#gate.pending > 0);
  }

  /** What is durable now. */
  async records(): Promise<QueueRecords> {
    await this.drain();
    const { state } = this.subject;
    const [progress] = await state.get('progress', [`${this.id}/0`]);
    const prefix = `${this.id}/`;
    const { entries: owed } = await state.load('owed', { prefix, limit: 10_000 });
    const { entries: letters } = await state.load('dead-letter', { prefix, limit: 10_000 });
    return {
      lanes: lanesOf(progress!.value as JsonObject),
      owed: new Map(owed.map(({ key, value }) => [Number(key.split('/').at(-1)), value as JsonObject])),
      letters: letters.map(({ value }) => value as unknown as DeadLetter),
    };
  }

  /** Positions of acknowledged events in the log. */
  async positionOf(ids: readonly string[]): Promise<(number | undefined)[]> {
    const records = await this.subject.store.get(ids);
    return records.map((record) => record?.place.position);
  }

  #end(): void {
    this.#gate!.kill();
    this.#timers!.end();
  }

  async #step(ms: number): Promise<void> {
    await this.subject.opened.elapse(ms);
    await this.time.advance(ms);
  }

  #done(call: string, given: readonly unknown[]): void {
    if (call === 'append') {
      for (const { id, body } of given[0] as Appendable[]) this.appended.set(id, Buffer.from(body));
    }
    if (call !== 'commit') return;
    for (const { kind, key, value } of given[0] as StateChange[]) {
      if (kind === 'progress' && value !== undefined) this.#durableLanes = lanesOf(value as JsonObject);
      if (kind !== 'owed') continue;
      if (value === undefined) this.#durableOwed.delete(key);
      else this.#durableOwed.set(key, value as JsonObject);
    }
  }

  /** A first attempt is reserved; a later one is in its record, as started. */
  #isCovered({ position, lane, attempt }: Seen): boolean {
    if (attempt === 1) return position <= (this.#durableLanes[lane]?.reserved ?? 0);
    const record = [...this.#durableOwed].find(([key]) => Number(key.split('/').at(-1)) === position)?.[1];
    return record?.['attempt'] === attempt && record['started'] === true;
  }
}

function watchEnd(work: Promise<unknown>): () => boolean {
  let hasEnded = false;
  const mark = () => {
    hasEnded = true;
  };
  work.then(mark, mark);
  return () => hasEnded;
}

/** A retry policy without surprises. */
export function everySecond(maxRetries: number): JsonObject {
  return { maxRetries, backoffStrategy: 'fixed', initialDelay: 1_000, maxDelay: 1_000, jitter: false };
}

function lanesOf(progress: JsonObject): LaneRecord[] {
  const lanes = progress['lanes'] as unknown as [number, number, LaneRecord['settled']][];
  return lanes.map(([scanned, reserved, settled]) => ({ scanned, reserved, settled }));
}
