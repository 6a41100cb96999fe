import { ANONYMOUS, type DeadLetter, type Event, type EventIn, EventManagerError } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { Engines, eventIdFrom, type RunningEngine } from './engines.ts';

const RETRIES = 3;
const EVENTS = 2_000;
const EVERY_MS = 10;
const KEYS = 10;
/** One event of the keys' round; the others of its key have to wait for it. */
const POISONED = EVENTS / 4;
const LARGE_BYTES = 1024 * 1024;
const LIMITS = { eventBytesMax: LARGE_BYTES + 64 * 1024 };

type Poison = 'none' | 'throws' | 'kills' | 'large';

interface Outcome {
  readonly deadLetters: readonly DeadLetter[];
  readonly attemptsOfPoison: number;
  /** From publishing to the first attempt, of the events of all other keys, milliseconds. */
  readonly latenciesMs: readonly number[];
  readonly delivered: number;
}

/** One event in the middle of the others is more than its handler can take. */
async function runWith(poison: Poison): Promise<Outcome> {
  const engines = new Engines({ seed: 3, stallShare: 0 });
  const { time } = engines;
  const publishedAtMs = new Map<number, number>();
  const latencies = new Map<number, number>();
  const delivered = new Set<number>();
  let attemptsOfPoison = 0;
  let running: RunningEngine | undefined;
  let started = 0;
  const handler = async ({ payload }: Event): Promise<void> => {
    const number = payload['number'] as number;
    if (payload['poison'] === true) {
      attemptsOfPoison++;
      if (poison !== 'kills') throw new Error('more than I can take');
      running!.kill();
      time.after(100, () => void start());
      return new Promise(() => {});
    }
    delivered.add(number);
    if (number % KEYS !== POISONED % KEYS && !latencies.has(number))
      latencies.set(number, time.monotonicMs() - publishedAtMs.get(number)!);
    await time.wait(5);
  };
  const start = async (): Promise<void> => {
    const next = await engines.launch(`process-${started++}`, () => ({ limits: LIMITS }));
    const retryPolicy = { maxRetries: RETRIES, backoffStrategy: 'fixed', initialDelay: 100, jitter: false };
    const options = { order: 'key', maxConcurrency: 4, retryPolicy };
    await next.engine.subscriptions.subscribe(ANONYMOUS, { name: 'worker', topic: '#', handler, options });
    running = next;
  };
  /** The process may die before it answers. */
  const publishUntilStored = async (event: EventIn): Promise<void> => {
    for (let isStored = false; !isStored; ) {
      await time.runUntil(() => running?.isAlive === true);
      const publishing = running!.engine.publish(ANONYMOUS, event).then(() => true);
      isStored = await time.run(Promise.race([publishing, time.wait(1_000).then(() => false)]));
    }
  };
  await time.run(start());
  for (let number = 0; number < EVENTS; number++) {
    await time.advance(EVERY_MS);
    publishedAtMs.set(number, time.monotonicMs());
    const isPoison = poison !== 'none' && number === POISONED;
    const text = isPoison && poison === 'large' ? 'x'.repeat(LARGE_BYTES) : '';
    const id = eventIdFrom(engines.chance);
    const metadata = { orderingKey: `key-${number % KEYS}` };
    await publishUntilStored({
      id,
      type: 'worked',
      source: 'test',
      metadata,
      payload: { number, poison: isPoison, text },
    });
  }
  await time.advance(120_000);
  const deadLetters = await time.run(running!.engine.deadLetters.all(ANONYMOUS));
  return { deadLetters, attemptsOfPoison, latenciesMs: [...latencies.values()], delivered: delivered.size };
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!;
}

/** One bad event must cost its own attempts and nothing else. */
describe('an event that its handler cannot take', () => {
  it.each(['throws', 'large'] as const)('ends as a dead letter and delays nobody: it %s', async (poison) => {
    const baseline = p99((await runWith('none')).latenciesMs);
    const { deadLetters, attemptsOfPoison, latenciesMs, delivered } = await runWith(poison);
    process.stdout.write(`${JSON.stringify({ poison, baselineMs: baseline, p99Ms: p99(latenciesMs) })}\n`);
    expect(deadLetters).toHaveLength(1);
    expect(attemptsOfPoison).toBe(RETRIES + 1);
    expect(delivered).toBe(EVENTS - 1);
    expect(p99(latenciesMs)).toBeLessThanOrEqual(baseline * 1.2);
  });

  it('ends as a dead letter when it ends the process each time', async () => {
    const { deadLetters, attemptsOfPoison, delivered } = await runWith('kills');
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]!.errors.at(-1)!.code).toBe('process_died');
    // Of a first attempt nobody knows after a crash whether it was made, so it is not counted as failed.
    expect(attemptsOfPoison).toBe(RETRIES + 2);
    expect(delivered).toBe(EVENTS - 1);
  });

  it('is refused when it is nested 5,000 deep, and the process lives', async () => {
    const engines = new Engines({ seed: 4 });
    const { engine } = await engines.launch('process', () => ({}));
    const payload: Record<string, unknown> = {};
    let inner = payload;
    for (let depth = 0; depth < 5_000; depth++) inner = inner['deeper'] = {} as Record<string, unknown>;
    const publish = (of: unknown) => engine.publish(ANONYMOUS, { type: 'deep', source: 'test', payload: of });
    await expect(engines.time.run(publish(payload))).rejects.toThrow(EventManagerError);
    await expect(engines.time.run(publish({}))).resolves.toMatchObject({ duplicate: false });
  });
});
