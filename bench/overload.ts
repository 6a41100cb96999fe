import { join } from 'node:path';
import { ANONYMOUS, Engine } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { openLoop } from './open-loop.ts';
import { sampleEvent } from './sample-events.ts';
import { median, percentile } from './statistics.ts';

const ROUNDS = 3;
const CALLS_AT_ONCE = 16;
const CALL_MS = 2;
const OVERLOAD = 3;
const RATIO_MIN = 0.95;
/** Every tenth event is HIGH: how long it takes tells whether the flood holds up what is urgent. */
const HIGH_EVERY = 10;
const AGING_MS = 1_000;
const BATCH = 1_000;

interface Round {
  readonly deliveredPerSecond: number;
  readonly highP99Ms: number;
}

/**
 * Deliveries a second to a receiver of limited capacity, while three times as much is published as it can take, against once as
 * much. What does not fit into the lane waits in the journal and is read back, at the same time as the rest is written.
 */
export async function overload(bench: Bench): Promise<Measured> {
  const seconds = sized(bench, { full: 10, quick: 4, smoke: 0.2 });
  const receiver = await Receiver.open(join(bench.folder, 'data'));
  const waiting = sized(bench, { full: 30_000, quick: 10_000, smoke: 200 });
  await receiver.capacity(waiting);
  const capacity = await receiver.capacity(waiting);
  const once: Round[] = [];
  const thrice: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    once.push(await receiver.offered(capacity, seconds));
    thrice.push(await receiver.offered(OVERLOAD * capacity, seconds));
  }
  await receiver.close();
  const value = median(thrice.map(({ deliveredPerSecond }) => deliveredPerSecond));
  const oncePerSecond = median(once.map(({ deliveredPerSecond }) => deliveredPerSecond));
  return {
    value,
    unit: 'deliveries/s',
    ratio: value / oncePerSecond,
    p99: median(thrice.map(({ highP99Ms }) => highP99Ms)),
    ok: value / oncePerSecond >= RATIO_MIN,
    note: `named subscription on the journal, ${CALLS_AT_ONCE} calls of ${CALL_MS} ms at once; ratio: ${OVERLOAD} x its capacity offered to 1 x; p99: of HIGH events under overload, in ms from when they were due`,
    details: {
      capacityPerSecond: capacity,
      oncePerSecond,
      onceHighP99: median(once.map(({ highP99Ms }) => highP99Ms)),
    },
  };
}

/** A handler that takes its time for every event, and what it saw. */
class Receiver {
  readonly #engine: Engine;
  #taken = 0;
  #onTaken: (index: number) => void = () => {};
  #published = 0;
  #id = '';

  static async open(directory: string): Promise<Receiver> {
    const receiver = new Receiver(await Engine.open({ adapter: journal({ directory }) }));
    await receiver.#subscribe();
    return receiver;
  }

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** How many a second it takes of `count` that wait already, with nothing else to do. */
  async capacity(count: number): Promise<number> {
    const first = this.#published;
    await this.#engine.subscriptions.pause(ANONYMOUS, this.#id);
    for (let from = 0; from < count; from += BATCH) {
      await this.#publish(first + from, first + Math.min(count, from + BATCH));
    }
    const startedMs = performance.now();
    await this.#engine.subscriptions.resume(ANONYMOUS, this.#id);
    await this.#engine.settled();
    return (count * 1_000) / (performance.now() - startedMs);
  }

  /** What it takes while so many a second are published; then everything that was left over. */
  async offered(perSecond: number, seconds: number): Promise<Round> {
    const first = this.#published;
    const count = Math.floor(perSecond * seconds);
    const highMs: number[] = [];
    let startedMs = 0;
    this.#taken = 0;
    this.#onTaken = (index) => {
      if (index % HIGH_EVERY === 0) highMs.push(performance.now() - startedMs - ((index - first) * 1_000) / perSecond);
    };
    const send = (from: number, to: number) => void this.#publish(first + from, first + to);
    await openLoop({ perSecond, count, send }, (atMs) => {
      startedMs = atMs;
    });
    const deliveredPerSecond = (this.#taken * 1_000) / (performance.now() - startedMs);
    await this.#engine.settled();
    if (this.#taken !== count) throw new RangeError(`${this.#taken} of ${count} events were delivered.`);
    return { deliveredPerSecond, highP99Ms: percentile(highMs, 0.99) };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #publish(from: number, to: number): Promise<void> {
    const events = Array.from({ length: to - from }, (_, offset) => {
      const index = from + offset;
      return { ...sampleEvent(index), priority: index % HIGH_EVERY === 0 ? ('HIGH' as const) : ('LOW' as const) };
    });
    this.#published = to;
    const results = await this.#engine.publishBatch(ANONYMOUS, events);
    for (const result of results) if (result instanceof Error) throw result;
  }

  async #subscribe(): Promise<void> {
    const handler = async ({ payload }: { payload: Record<string, unknown> }) => {
      await new Promise((resolve) => setTimeout(resolve, CALL_MS));
      this.#taken++;
      this.#onTaken(payload['index'] as number);
    };
    const options = { maxConcurrency: CALLS_AT_ONCE, agingMs: AGING_MS };
    const request = { topic: '#', name: 'overloaded', handler, options };
    this.#id = (await this.#engine.subscriptions.subscribe(ANONYMOUS, request)).id;
  }
}
