import { type EventBusAdapter, EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { createTestDatabase, type TestDatabase } from '@event-manager/testing/servers';
import { pause, until } from './until.ts';

const LOOPS = 4;
const BETWEEN_MS = 5;
const BATCH = 500;

/** Two processes on one database with Redis beside it: one publishes without pause, the other one receives. */
export class LoadedBus {
  readonly adapters: readonly EventBusAdapter[];
  readonly acknowledged: string[] = [];
  /** How often each event was delivered. */
  readonly received = new Map<string, number>();
  readonly #database: TestDatabase;
  readonly #buses: readonly EventManager[];
  readonly #loops: Promise<void>[] = [];
  #tookMs: number[] = [];
  #isPublishing = true;
  #held: PromiseWithResolvers<void> | undefined;

  private constructor(database: TestDatabase, redisUrls: readonly (string | undefined)[]) {
    this.#database = database;
    this.adapters = redisUrls.map((url) => {
      const adapter = postgres({ url: database.url, maxConnections: 6 });
      return url === undefined ? adapter : redisBeside(adapter, { url });
    });
    this.#buses = this.adapters.map((adapter) => new EventManager({ adapter }));
  }

  /** One url for each process; what publishes comes first. */
  static async start(redisUrls: readonly (string | undefined)[]): Promise<LoadedBus> {
    const bus = new LoadedBus(await createTestDatabase(), redisUrls);
    await bus.#buses.at(-1)!.subscribe({
      topic: '#',
      name: 'all',
      handler: async ({ id }) => {
        await bus.#held?.promise;
        bus.received.set(id, (bus.received.get(id) ?? 0) + 1);
      },
    });
    for (let n = 0; n < LOOPS; n++) bus.#loops.push(bus.#publishOn());
    return bus;
  }

  /** Nothing is received from now on. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  goOn(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async publishMany(count: number): Promise<void> {
    for (let left = count; left > 0; left -= BATCH) {
      const events = Array.from({ length: Math.min(BATCH, left) }, () => ({ type: 'a.b', source: 'test' }));
      const { results } = await this.#buses[0]!.publishBatch(events);
      for (const result of results) if ('id' in result) this.acknowledged.push(result.id);
    }
  }

  get missing(): number {
    return this.acknowledged.filter((id) => !this.received.has(id)).length;
  }

  get duplicates(): number {
    return [...this.received.values()].reduce((sum, count) => sum + count - 1, 0);
  }

  /** How long everything takes to arrive that is acknowledged by now. */
  async arriveMs(): Promise<number> {
    const sinceMs = performance.now();
    const due = this.acknowledged.slice();
    await until(() => due.every((id) => this.received.has(id)), 'Everything acknowledged');
    return performance.now() - sinceMs;
  }

  /** The time that all but one in a hundred publications took since this was asked before. */
  p99Ms(): number {
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    this.#tookMs = [];
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  }

  redisStates(): unknown[] {
    return this.adapters.map((adapter) => adapter.health().facts['redis']);
  }

  /** Publishes no more, waits for what was acknowledged and ends. */
  async close(): Promise<void> {
    this.#isPublishing = false;
    this.goOn();
    await Promise.all(this.#loops);
    await this.arriveMs();
    for (const bus of this.#buses) await bus.close();
    await this.#database.drop();
  }

  async #publishOn(): Promise<void> {
    while (this.#isPublishing) {
      const sinceMs = performance.now();
      const { id } = await this.#buses[0]!.publish({ type: 'a.b', source: 'test' });
      this.#tookMs.push(performance.now() - sinceMs);
      this.acknowledged.push(id);
      await pause(BETWEEN_MS);
    }
  }
}
