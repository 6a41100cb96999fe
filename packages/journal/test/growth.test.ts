import { ANONYMOUS, DEFAULT_LIMITS, Engine, type Event } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it } from 'vitest';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** `GROWTH_EVENTS=1000000` for a million: a minute and a half, half a gigabyte of disk. */
const EVENTS = Number(process.env['GROWTH_EVENTS'] ?? 100_000);
const SUBSCRIPTIONS = 1_000;
const BATCH = 500;
const LIVE_EVERY_MS = 5;
const LIVE_EVENTS = 20;
const MIB = 1024 * 1024;
const HEAP_MIB_MAX = 384;
/** Of a shared machine: that nobody waits for the one behind, which takes seconds, is what must show. */
const P99_MS_MAX = 500;

/** A thousand subscriptions on a journal; each of all but one is owed its own topic, and that one is owed everything. */
class Crowd {
  readonly engine: Engine;
  /** When each event was published whose way to the others is looked at. */
  readonly #publishedAtMs = new Map<number, number>();
  #waitsMs: number[] = [];
  behind = 0;
  behindId = '';
  published = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async subscribe(): Promise<void> {
    const others = Array.from({ length: SUBSCRIPTIONS - 1 }, (_, area) =>
      this.engine.subscriptions.subscribe(ANONYMOUS, {
        name: `other-${area}`,
        topic: `area/${area}`,
        handler: ({ payload }: Event) => this.#arrived(payload['n'] as number),
      }),
    );
    await Promise.all(others);
    const handler = () => void this.behind++;
    const { id } = await this.engine.subscriptions.subscribe(ANONYMOUS, { name: 'behind', topic: '#', handler });
    this.behindId = id;
  }

  async publish(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => {
      const n = this.published++;
      const topic = `area/${n % (SUBSCRIPTIONS - 1)}`;
      return { type: 'growth.seen', source: 'test', topic, payload: { n, text: TEXT } };
    });
    for (const result of await this.engine.publishBatch(ANONYMOUS, events)) if (result instanceof Error) throw result;
  }

  /** A few events every few milliseconds, until `isOver`; how long they took to the others. */
  async live(isOver: () => boolean): Promise<{ p50: number; p99: number; events: number }> {
    this.#waitsMs = [];
    while (!isOver()) {
      const atMs = performance.now();
      for (let n = 0; n < LIVE_EVENTS; n++) this.#publishedAtMs.set(this.published + n, atMs);
      await Promise.all([this.publish(LIVE_EVENTS), new Promise((resolve) => setTimeout(resolve, LIVE_EVERY_MS))]);
    }
    while (this.#publishedAtMs.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const sorted = this.#waitsMs.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))]! * 10) / 10;
    return { p50: at(0.5), p99: at(0.99), events: sorted.length };
  }

  #arrived(n: number): void {
    const atMs = this.#publishedAtMs.get(n);
    if (atMs === undefined) return;
    this.#waitsMs.push(performance.now() - atMs);
    this.#publishedAtMs.delete(n);
  }
}

const TEXT = 'Every event of this test is about as long as the small facts that services tell each other.';

it(`serves a thousand subscriptions, one of them ${EVENTS} events behind, in bounded memory and without the others noticing`, {
  timeout: 600_000,
}, async () => {
  const directory = await temporaryDirectory();
  const engine = await Engine.open({ adapter: journal({ directory }) });
  const crowd = new Crowd(engine);
  await crowd.subscribe();
  let ticks = 200;
  const calm = await crowd.live(() => ticks-- === 0);
  await engine.subscriptions.pause(ANONYMOUS, crowd.behindId);
  const before = crowd.behind;
  const heapBefore = heapMiB();
  let heapMax = 0;
  const owedFrom = crowd.published;
  while (crowd.published - owedFrom < EVENTS) {
    await crowd.publish(BATCH);
    heapMax = Math.max(heapMax, heapMiB());
  }
  const memory = engine.memory();
  const status = engine.subscriptions.status(ANONYMOUS, crowd.behindId);
  expect(status.lag).toBe(EVENTS);
  expect(status.waiting).toBeLessThanOrEqual(DEFAULT_LIMITS.laneEntriesMax);
  expect(memory.bodies).toBeLessThanOrEqual(DEFAULT_LIMITS.queueMaxSize);
  expect(memory.bodyBytes).toBeLessThanOrEqual(DEFAULT_LIMITS.queueBytesMax);
  const beganMs = performance.now();
  await engine.subscriptions.resume(ANONYMOUS, crowd.behindId);
  const beside = await crowd.live(() => {
    heapMax = Math.max(heapMax, heapMiB());
    return crowd.behind - before >= EVENTS;
  });
  const caughtUpMs = performance.now() - beganMs;
  await engine.settled();
  process.stdout.write(
    `${JSON.stringify({
      test: 'growth',
      subscriptions: SUBSCRIPTIONS,
      behind: EVENTS,
      caughtUpSeconds: Math.round(caughtUpMs / 100) / 10,
      heapMiBBefore: Math.round(heapBefore),
      heapMiBMax: Math.round(heapMax),
      ...memory,
      calm,
      beside,
    })}\n`,
  );
  expect(crowd.behind).toBe(crowd.published);
  expect(heapMax - heapBefore).toBeLessThan(HEAP_MIB_MAX);
  expect(beside.p99).toBeLessThan(P99_MS_MAX);
  await engine.close();
});

/** With what is not collected yet: an upper bound. */
function heapMiB(): number {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MIB;
}
