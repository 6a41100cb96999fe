import { ANONYMOUS, Engine, type PlantedBug, type Sink } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { mostInWindow, SeededChance, SimulatedDisk, simulatedRuntime, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';

const MINUTE_MS = 60_000;
const PER_MINUTE = 1_000;
const LIMIT_MS = 30 * MINUTE_MS;
const CALL_MS = 3;
const SEEDS = 16;

type Stop = 'clean' | 'killed' | 'power loss';

/** One webhook that takes a thousand attempts a minute, on a journal on a simulated disk, over as many processes as it takes. */
class LimitedService {
  readonly time = new VirtualTime();
  readonly attemptsAtMs: number[] = [];
  readonly taken = new Set<string>();
  readonly #planted: readonly PlantedBug[];
  readonly #disk: SimulatedDisk;
  readonly #chance: SeededChance;
  #engine!: Engine;
  #stop!: (how: Stop) => Promise<void>;

  constructor(seed: number, planted: readonly PlantedBug[] = []) {
    this.#planted = planted;
    this.#chance = new SeededChance(seed);
    this.#disk = new SimulatedDisk({ chance: this.#chance.fork('disk'), timers: this.time });
  }

  get engine(): Engine {
    return this.#engine;
  }

  async open(): Promise<void> {
    const timers = this.time.scope();
    const runtime = simulatedRuntime({ clock: this.time, timers, chance: this.#chance, planted: this.#planted });
    const mounted = this.#disk.mount();
    let isAlive = true;
    const opening = Engine.open({
      adapter: journal({ directory: '/data', disk: mounted, runtime }),
      runtime,
      webhookSink: () => this.#sink(() => isAlive),
    });
    this.#engine = await this.time.run(opening);
    this.#stop = async (how) => {
      if (how === 'clean') await this.time.run(this.#engine.close());
      isAlive = false;
      timers.end();
      if (how === 'power loss') this.#disk.crash();
      else if (how === 'killed') mounted.kill();
    };
  }

  async restart(how: Stop): Promise<void> {
    await this.#stop(how);
    await this.open();
  }

  async publish(count: number, first: number): Promise<void> {
    const events = Array.from({ length: count }, (_, at) => ({ type: 'a.b', source: 's', payload: { n: first + at } }));
    for (let from = 0; from < count; from += 500) {
      const results = await this.time.run(this.#engine.publishBatch(ANONYMOUS, events.slice(from, from + 500)));
      for (const result of results) if (result instanceof Error) throw result;
    }
  }

  /** A tenth of the first attempts fails. */
  #sink(isAlive: () => boolean): Sink {
    return {
      deliver: async (batch) => {
        for (const _delivery of batch) if (isAlive()) this.attemptsAtMs.push(this.time.monotonicMs());
        await this.time.wait(CALL_MS);
        if (!isAlive()) return new Promise(() => {});
        return batch.map(({ record, attempt }) => {
          if (attempt === 1 && record.place.position % 10 === 0) {
            return { status: 'retry', error: { code: 'http_500', message: 'no' } };
          }
          this.taken.add(record.id);
          return { status: 'delivered' };
        });
      },
      close: async () => {},
    };
  }
}

const RESTARTS: readonly (readonly [afterMs: number, how: Stop])[] = [
  [400, 'clean'],
  [20_000, 'clean'],
  [31_000, 'killed'],
  [55_000, 'clean'],
  [70_000, 'power loss'],
  [61_000, 'killed'],
  [3_000, 'clean'],
  [62_000, 'clean'],
];

/** Publishes so many at once and lives through the restarts; resolves when everything is settled. */
async function live(service: LimitedService, count: number, restarts: typeof RESTARTS, perMinute = PER_MINUTE) {
  const { time } = service;
  await service.open();
  const beganMs = time.monotonicMs();
  const options = {
    rateLimitPerMinute: perMinute,
    retryPolicy: { maxRetries: 5, backoffStrategy: 'fixed', initialDelay: 1_000, maxDelay: 1_000 },
  };
  const request = { name: 'limited', topic: '#', endpoint: 'https://a.example/', options };
  const { id } = await time.run(service.engine.subscriptions.subscribe(ANONYMOUS, request));
  await service.publish(count, 1);
  for (const [afterMs, how] of restarts) {
    await time.advance(afterMs);
    await service.restart(how);
  }
  await time.run(service.engine.settled(), LIMIT_MS);
  const letters = await time.run(service.engine.deadLetters.all(ANONYMOUS, id));
  const tookMs = time.monotonicMs() - beganMs;
  await time.run(service.engine.close());
  return { letters: letters.length, tookMs, most: mostInWindow(service.attemptsAtMs, MINUTE_MS) };
}

/** The receiver has agreed to a thousand a minute and counts itself: it must not find out a restart that forgets. */
it.each([
  { count: 1_000, restarts: [] },
  { count: 1_000, restarts: RESTARTS },
  { count: 3_000, restarts: [] },
  { count: 3_000, restarts: RESTARTS },
])(
  '$count events at once, $restarts.length restarts: never above the limit in any minute, and nothing is lost',
  {
    timeout: 60_000,
  },
  async ({ count, restarts }) => {
    const service = new LimitedService(count + restarts.length);
    const { letters, tookMs, most } = await live(service, count, restarts);
    const lost = count - service.taken.size - letters;
    process.stdout.write(
      `${JSON.stringify({
        test: 'rate-limit',
        published: count,
        restarts: restarts.length,
        attempts: service.attemptsAtMs.length,
        mostInAnyMinute: most,
        minutes: Math.round(tookMs / 6_000) / 10,
        lost,
      })}\n`,
    );
    expect(most).toBeLessThanOrEqual(PER_MINUTE);
    expect(lost).toBe(0);
  },
);

it('holds whatever restarts come when', { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = new SeededChance(seed);
    const perMinute = chance.pick([1, 7, 40]);
    const restarts = Array.from({ length: 12 }, (): [number, Stop] => [
      chance.pick([1, 40, 300, 5_000, 30_000, 59_990, 60_000, 61_000]) + chance.integer(60),
      chance.pick(['clean', 'clean', 'killed', 'power loss']),
    ]);
    const service = new LimitedService(seed);
    const { letters, most } = await live(service, 3 * perMinute + chance.integer(9), restarts, perMinute);
    expect(most, `seed ${seed}`).toBeLessThanOrEqual(perMinute);
    expect(letters, `seed ${seed}`).toBe(0);
  }
});

it('would be found out if it forgot: with the planted bug a minute has more', { timeout: 60_000 }, async () => {
  const { most } = await live(new LimitedService(1, ['rate-limit-lost-at-restart']), 3_000, RESTARTS);
  expect(most).toBeGreaterThan(PER_MINUTE);
});
