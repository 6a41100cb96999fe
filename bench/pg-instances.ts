import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ANONYMOUS, Engine, type EventBusAdapter, type Sink } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { alternate } from './rounds.ts';
import { sampleAppendable } from './sample-events.ts';
import { WORK_MS, WORKERS } from './waiting-work.ts';
import { withPostgres } from './with-postgres.ts';

const SUBSCRIPTIONS = 8;
const RATIO_MIN = 1.5;
const EVENTS_PER_APPEND = 500;
const LOOK_EVERY_MS = 100;
/** Leases move once a second, a few at a time. */
const SHARED_MS_MAX = 60_000;

/** Deliveries a second by two processes that share a database, against one of them, where the work is waiting in the sinks. */
export function pgInstances(bench: Bench): Promise<Measured> {
  return withPostgres(bench, async (url) => {
    const count = sized(bench, { full: 8_000, quick: 4_000, smoke: 160 });
    const pair = await Pair.open(url);
    try {
      const compared = await alternate(
        bench,
        () => pair.round(2, count),
        () => pair.round(1, count),
      );
      const note = `${SUBSCRIPTIONS} webhook subscriptions; ${WORKERS} deliveries of ${WORK_MS} ms at once in each process; limit: one process`;
      return { ...compared, unit: 'deliveries/s', ok: compared.ratio >= RATIO_MIN, note };
    } finally {
      await pair.close();
    }
  });
}

/** One or two processes that serve the same subscriptions, and what they are given to do. */
class Pair {
  readonly #url: string;
  readonly #adapter: EventBusAdapter;
  readonly #resources: readonly string[];
  readonly #instances: ChildProcess[] = [];
  #made = 0;
  #left = 0;
  #onAll: () => void = () => {};

  static async open(url: string): Promise<Pair> {
    const resources = await subscribeAll(url);
    const adapter = postgres({ url });
    await adapter.open();
    return new Pair(url, adapter, resources);
  }

  private constructor(url: string, adapter: EventBusAdapter, resources: readonly string[]) {
    this.#url = url;
    this.#adapter = adapter;
    this.#resources = resources;
  }

  /** From the first append to the last delivery; the events are spread evenly over the subscriptions. */
  async round(instances: 1 | 2, count: number): Promise<number> {
    while (this.#instances.length > instances) await this.#stop(this.#instances.pop()!);
    while (this.#instances.length < instances) this.#instances.push(await this.#start());
    await this.#untilShared(instances);
    this.#left = count;
    const all = new Promise<void>((resolve) => {
      this.#onAll = resolve;
    });
    const startedMs = performance.now();
    for (let from = 0; from < count; from += EVENTS_PER_APPEND) {
      const size = Math.min(EVENTS_PER_APPEND, count - from);
      const events = Array.from({ length: size }, (_, at) => ({
        ...sampleAppendable(from + at, count, Date.now()),
        topic: topicOf((from + at) % SUBSCRIPTIONS),
      }));
      await this.#adapter.store.append(events);
    }
    await all;
    return (count * 1_000) / (performance.now() - startedMs);
  }

  async close(): Promise<void> {
    for (const instance of this.#instances.splice(0)) await this.#stop(instance);
    await this.#adapter.close();
  }

  async #start(): Promise<ChildProcess> {
    const script = join(import.meta.dirname, 'waiting-instance.ts');
    const instance = fork(script, [this.#url, `instance-${this.#made++}`], { execArgv: ['--conditions=source'] });
    await once(instance, 'message');
    instance.on('message', ({ delivered }: { delivered: number }) => {
      this.#left -= delivered;
      if (this.#left <= 0) this.#onAll();
    });
    return instance;
  }

  async #stop(instance: ChildProcess): Promise<void> {
    const ended = once(instance, 'exit');
    instance.send('stop');
    await ended;
  }

  /** Until each of them serves as many as the others. */
  async #untilShared(instances: number): Promise<void> {
    const endMs = performance.now() + SHARED_MS_MAX;
    while (performance.now() < endMs) {
      const holders = await this.#adapter.state.holders(this.#resources);
      const served = Map.groupBy(holders, (owner) => owner);
      const isEven = [...served.values()].every(({ length }) => length === SUBSCRIPTIONS / instances);
      if (!served.has(undefined) && isEven) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new TypeError(`${instances} processes did not share the subscriptions evenly.`);
  }
}

/** Makes the subscriptions; whoever is started serves them. Resolves with the resources whose leases say who does. */
async function subscribeAll(url: string): Promise<readonly string[]> {
  const webhookSink = (): Sink => ({
    deliver: (batch) => batch.map(() => ({ status: 'delivered' })),
    close: async () => {},
  });
  const engine = await Engine.open({ adapter: postgres({ url }), webhookSink });
  const resources: string[] = [];
  for (let index = 0; index < SUBSCRIPTIONS; index++) {
    const { id } = await engine.subscriptions.subscribe(ANONYMOUS, {
      name: `bench-${index}`,
      topic: topicOf(index),
      endpoint: `http://127.0.0.1:9/${index}`,
      options: { maxConcurrency: 2 * WORKERS },
    });
    resources.push(`subscription/${id}`);
  }
  await engine.close();
  return resources;
}

function topicOf(index: number): string {
  return `bench/instances/${index}`;
}
