import { AssertionError } from 'node:assert';
import {
  type AnyBusEvents,
  type BusEvent,
  type BusSubscribeOptions,
  type Event,
  EventBus,
  type EventBusOptions,
  InMemoryAdapter,
} from '@event-manager/core';
import { SeededChance } from '../seeded-chance.ts';
import { simulatedRuntime } from '../simulated-runtime.ts';
import { TestEventCollector } from '../test-event-collector.ts';
import { VirtualTime } from '../virtual-time.ts';
import { type FaultyAdapter, faulty } from './faulty-adapter.ts';
import type { StoreFaults } from './store-faults.ts';

export interface TestEventBusOptions<Events> extends Omit<EventBusOptions<Events>, 'adapter' | 'runtime'> {
  /** Decides ids and jitter: the same seed gives the same run. Default: 1. */
  readonly seed?: number | undefined;
  /** Wall clock at the start, milliseconds since 1970. Default: the beginning of 2026. */
  readonly wallMs?: number | undefined;
}

/** A bus in memory whose time stands still until the test moves it. Close it as any bus, by `await using` for example. */
export function testEventBus<Events = AnyBusEvents>(options: TestEventBusOptions<Events> = {}): TestEventBus<Events> {
  return new TestEventBus(options);
}

/**
 * What is due now happens by itself, so `publish` and `subscribe` are awaited as anywhere. What is due later, which is retries, schedules
 * and time limits, happens when the clock of the test gets there: by `advance`, or by `settled` and `waitFor`, which
 * move it as far as they need to. No real time passes, and nothing depends on how fast the machine is.
 */
export class TestEventBus<Events = AnyBusEvents> implements AsyncDisposable {
  readonly bus: EventBus<Events>;
  readonly time: VirtualTime;
  readonly #adapter: FaultyAdapter<InMemoryAdapter>;
  readonly #stop: () => void;

  constructor({ seed = 1, wallMs, ...options }: TestEventBusOptions<Events>) {
    this.time = new VirtualTime(wallMs === undefined ? {} : { wallMs });
    const runtime = simulatedRuntime({ clock: this.time, timers: this.time, chance: new SeededChance(seed) });
    this.#adapter = faulty(new InMemoryAdapter({ runtime }), { timers: this.time });
    this.bus = new EventBus<Events>({ ...options, adapter: this.#adapter, runtime });
    this.#stop = this.time.keepUp();
  }

  /** What can go wrong with its store. */
  get store(): StoreFaults {
    return this.#adapter.faults;
  }

  /** A collector that is subscribed to a topic, or to everything. */
  async collect(topic: string = '#', options?: BusSubscribeOptions): Promise<TestEventCollector<BusEvent>> {
    const collector = new TestEventCollector<BusEvent>();
    await (this.bus as unknown as EventBus).subscribe(topic, collector.handler, options);
    return collector;
  }

  /** Everything that was published, oldest first; only what matches the pattern `topic`, if given. */
  published(topic?: string): readonly Event[] {
    return this.#adapter.inner.getHistory(topic);
  }

  /** Lets so long pass, with everything that is due meanwhile. */
  advance(byMs: number): Promise<void> {
    return this.time.advance(byMs);
  }

  /** Resolves when nothing is owed any more, retries among it: the clock moves as far as that takes. */
  async settled(): Promise<void> {
    // What is due now may be a look at the log that makes more of it owed.
    await this.time.settle();
    await this.time.run(this.bus.settled());
  }

  /** Awaits what needs time to pass, and lets it pass: `await test.run(bus.publish(…))` of a handler that takes a second. */
  run<Answer>(work: Promise<Answer>): Promise<Answer> {
    return this.time.run(work);
  }

  /** Lets time pass until something is true. Throws when it is not within a minute, or within `forMs`. */
  async waitFor(isTrue: () => boolean, { withinMs = 60_000 }: { readonly withinMs?: number } = {}): Promise<void> {
    try {
      await this.time.runUntil(isTrue, withinMs);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new AssertionError({ message: `It did not become true within ${withinMs} ms of virtual time.` });
    }
  }

  /** Lets so long pass, and throws as soon as something is true that never may be. */
  async never(isTrue: () => boolean, { forMs }: { readonly forMs: number }): Promise<void> {
    const startMs = this.time.monotonicMs();
    const end = this.time.wait(forMs);
    let isOver = false;
    void end.then(() => {
      isOver = true;
    });
    let wasTrue = false;
    await this.time.runUntil(() => {
      wasTrue ||= isTrue();
      return wasTrue || isOver;
    }, forMs);
    if (!wasTrue) return;
    const afterMs = this.time.monotonicMs() - startMs;
    throw new AssertionError({ message: `What never may be was true after ${afterMs} ms of virtual time.` });
  }

  async close(): Promise<void> {
    this.store.restore();
    try {
      await this.time.run(this.bus.close());
    } finally {
      this.#stop();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
