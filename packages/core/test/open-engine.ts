import {
  ANONYMOUS,
  Engine,
  type EngineOptions,
  type EventBusAdapter,
  type EventIn,
  memory,
  type PlantedBug,
  type PublishResult,
  type Runtime,
  type Sink,
  type SubscribeRequest,
  type SubscriptionDefinition,
  type SubscriptionStatus,
} from '@event-manager/core';
import { SeededChance, simulatedRuntime, type TimerScope, VirtualTime } from '@event-manager/testing';
import { KeptAdapter } from './kept-adapter.ts';

export interface SetUp extends Partial<Omit<EngineOptions, 'adapter' | 'runtime'>> {
  readonly failpoint?: (name: string) => void;
  readonly planted?: Iterable<PlantedBug>;
  /** Those of the process, where the test has them. */
  readonly timers?: TimerScope;
}

/** One engine on virtual time: operations that drive the time until they are answered. */
export class EngineUnderTest {
  readonly engine: Engine;
  readonly time: VirtualTime;
  readonly #timers: TimerScope;
  readonly #kept: KeptAdapter | undefined;
  isAlive = true;

  constructor(engine: Engine, time: VirtualTime, timers: TimerScope, kept: KeptAdapter | undefined) {
    this.engine = engine;
    this.time = time;
    this.#timers = timers;
    this.#kept = kept;
  }

  publish(event: Partial<EventIn> = {}): Promise<PublishResult> {
    return this.time.run(this.engine.publish(ANONYMOUS, anEvent(event)));
  }

  /** Events numbered from `first` in their payload, published together. */
  async publishMany(count: number, first = 1, event: Partial<EventIn> = {}): Promise<void> {
    const inputs = Array.from({ length: count }, (_, at) => anEvent({ payload: { n: first + at }, ...event }));
    const results = await this.time.run(this.engine.publishBatch(ANONYMOUS, inputs));
    for (const result of results) if (result instanceof Error) throw result;
  }

  /** Options as they come: many tests try those that are refused. */
  subscribe(
    request: Omit<Partial<SubscribeRequest>, 'options'> & { options?: object | undefined },
  ): Promise<SubscriptionDefinition> {
    return this.time.run(this.engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', ...request }));
  }

  status(id: string): SubscriptionStatus {
    return this.engine.subscriptions.status(ANONYMOUS, id);
  }

  deadLetters(id?: string) {
    return this.time.run(this.engine.deadLetters.all(ANONYMOUS, id));
  }

  settled(limitMs?: number): Promise<void> {
    return this.time.run(this.engine.settled(), limitMs);
  }

  close(options?: { drainMs?: number }): Promise<void> {
    return this.time.run(this.engine.close(options));
  }

  /** The process ends here, without a goodbye. */
  crash(): void {
    this.isAlive = false;
    this.#timers.end();
    this.#kept?.crash();
  }
}

/** Every process draws its own numbers, or two of them would make the same event ids. */
let processes = 0;

export function runtimeOn(time: VirtualTime, timers = time.scope(), setUp: SetUp = {}): Runtime {
  const { failpoint, planted } = setUp;
  return simulatedRuntime({
    clock: time,
    timers,
    chance: new SeededChance(++processes),
    ...(failpoint ? { failpoint } : {}),
    ...(planted ? { planted } : {}),
  });
}

export async function openOn(adapter: EventBusAdapter, time: VirtualTime, setUp: SetUp = {}, kept?: KeptAdapter) {
  const { failpoint: _failpoint, planted: _planted, timers = time.scope(), ...options } = setUp;
  const engine = await time.run(Engine.open({ adapter, runtime: runtimeOn(time, timers, setUp), ...options }));
  return new EngineUnderTest(engine, time, timers, kept);
}

/** An engine on the memory adapter. */
export function openMemory(setUp: SetUp = {}): Promise<EngineUnderTest> {
  const time = new VirtualTime();
  return openOn(memory({ runtime: { clock: time } }), time, setUp);
}

/** A durable log on which one engine after the other can be opened. */
export function durableWorld() {
  const time = new VirtualTime();
  const kept = new KeptAdapter(time);
  return { time, kept, open: (setUp: SetUp = {}) => openOn(kept.connect(), time, setUp, kept) };
}

export function anEvent(event: Partial<EventIn> = {}): EventIn {
  return { type: 'order.created', source: 'test', payload: {}, ...event };
}

/** A retry policy without surprises: `delayMs` between attempts. */
export function fixedRetry(maxRetries: number, delayMs = 1_000) {
  const backoffStrategy = 'fixed' as const;
  return { maxRetries, backoffStrategy, initialDelay: delayMs, maxDelay: delayMs, jitter: false };
}

/** A webhook's way out that the test answers for. */
export function sinkOf(deliver: Sink['deliver']): Sink {
  return { deliver, close: async () => {} };
}
