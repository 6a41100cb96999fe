import { randomUUID } from 'node:crypto';
import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { startRedis } from '@event-manager/testing/servers';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { BullQueue } from './bull-queue.ts';
import { inFlight } from './in-flight.ts';
import { alternate } from './rounds.ts';
import { sampleEvent } from './sample-events.ts';
import { withPostgres } from './with-postgres.ts';

const WINDOW = 512;
const RATIO_MIN = 3;
const READY = 4_096;

/**
 * From the first publish to the last settlement in the database, one named subscription with a handler, against BullMQ adding
 * and processing as many on a Redis that syncs every second.
 */
export function pgDeliver(bench: Bench): Promise<Measured> {
  return withPostgres(bench, async (url) => {
    const count = sized(bench, { full: 50_000, quick: 20_000, smoke: 300 });
    const redis = await startRedis({ parent: bench.folder, settings: { appendfsync: 'everysec' } });
    const events = Array.from({ length: READY }, (_, index) => sampleEvent(index));
    const eventOf = (index: number) => events[index % READY]!;
    const bull = new BullQueue(redis.url);
    const delivery = await Delivery.open(url);
    try {
      await bull.ready();
      const compared = await alternate(
        bench,
        () => delivery.round(count, (index) => ({ ...eventOf(index), id: randomUUID() })),
        () => bull.round(count, WINDOW, eventOf),
      );
      const note = `${WINDOW} in flight, one handler; limit: BullMQ add and process, appendfsync everysec, 100 at once`;
      return { ...compared, unit: 'events/s', ok: compared.ratio >= RATIO_MIN, note };
    } finally {
      await delivery.close();
      await bull.close();
      await redis.close();
    }
  });
}

class Delivery {
  readonly #bus: EventManager;
  #left = 0;
  #onAll: () => void = () => {};

  static async open(url: string): Promise<Delivery> {
    const delivery = new Delivery(new EventManager({ adapter: postgres({ url }) }));
    await delivery.#bus.subscribe({ topic: '#', name: 'bench', handler: () => delivery.#handled() });
    return delivery;
  }

  private constructor(bus: EventManager) {
    this.#bus = bus;
  }

  async round(count: number, event: (index: number) => ReturnType<typeof sampleEvent>): Promise<number> {
    this.#left = count;
    const all = new Promise<void>((resolve) => {
      this.#onAll = resolve;
    });
    const startedMs = performance.now();
    await inFlight({ count, window: WINDOW, call: (index) => this.#bus.publish(event(index)) });
    await all;
    await this.#bus.settled();
    return (count * 1_000) / (performance.now() - startedMs);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  #handled(): void {
    if (--this.#left === 0) this.#onAll();
  }
}
