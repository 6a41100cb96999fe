import { Queue, Worker } from 'bullmq';
import { inFlight } from './in-flight.ts';
import type { sampleEvent } from './sample-events.ts';

/** Processed at once: with more a worker gets no faster here. */
const CONCURRENCY = 100;

/** BullMQ as its guide says: what is added is taken by a worker of the same process, and forgotten when it is done. */
export class BullQueue {
  readonly #queue: Queue;
  readonly #worker: Worker;
  #left = 0;
  #onAll: () => void = () => {};

  constructor(url: string) {
    const { hostname, port, password } = new URL(url);
    const connection = { host: hostname, port: Number(port), password, maxRetriesPerRequest: null };
    this.#queue = new Queue('bench', { connection, defaultJobOptions: { removeOnComplete: true } });
    this.#worker = new Worker('bench', async () => {}, { connection, concurrency: CONCURRENCY });
    this.#worker.on('completed', () => {
      if (--this.#left === 0) this.#onAll();
    });
  }

  async ready(): Promise<void> {
    await this.#queue.waitUntilReady();
    await this.#worker.waitUntilReady();
  }

  /** From the first `add` to the last that is done; so many a second. */
  async round(
    count: number,
    window: number,
    event: (index: number) => ReturnType<typeof sampleEvent>,
  ): Promise<number> {
    this.#left = count;
    const all = new Promise<void>((resolve) => {
      this.#onAll = resolve;
    });
    const startedMs = performance.now();
    await inFlight({ count, window, call: (index) => this.#queue.add('event', event(index)) });
    await all;
    return (count * 1_000) / (performance.now() - startedMs);
  }

  async close(): Promise<void> {
    await this.#worker.close();
    await this.#queue.close();
  }
}
