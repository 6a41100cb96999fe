import { ANONYMOUS, type EventHandler } from '@event-manager/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, fixedRetry, type SetUp } from './open-engine.ts';

/** A durable world with one named subscription that keeps what every process saw. */
function worldWithHandler(answer: (n: number, attempt: number) => ReturnType<EventHandler> = () => undefined) {
  const world = durableWorld();
  const seen: string[] = [];
  const request = (bus: EngineUnderTest, options: Record<string, unknown> = {}) => ({
    name: 's',
    handler: ((event, { attempt }) => {
      // A dead process does nothing any more, whatever its code still tries.
      if (!bus.isAlive) return new Promise(() => {});
      seen.push(`${event.payload['n']}#${attempt}`);
      return answer(event.payload['n'] as number, attempt);
    }) satisfies EventHandler,
    options: { retryPolicy: fixedRetry(3, 100), ...options },
  });
  const start = async (options: Record<string, unknown> = {}, setUp: SetUp = {}): Promise<EngineUnderTest> => {
    const bus = await world.open(setUp);
    await bus.subscribe(request(bus, options));
    return bus;
  };
  return { ...world, seen, start, request };
}

describe('a clean restart', () => {
  it('goes on exactly where it stopped, at every point of a run', async () => {
    for (let stopAfterMs = 0; stopAfterMs <= 600; stopAfterMs += 50) {
      const { time, seen, start } = worldWithHandler(async (n, attempt) => {
        await time.wait(40);
        if (n % 3 === 0 && attempt < 3) return { success: false };
        return undefined;
      });
      const first = await start();
      await first.publishMany(8);
      await time.advance(stopAfterMs);
      await first.close();
      const second = await start();
      await second.settled();
      const expected = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => (n % 3 === 0 ? [1, 2, 3] : [1]).map((a) => `${n}#${a}`));
      expect([...seen].sort(), `stopped after ${stopAfterMs} ms`).toEqual(expected);
      await second.close();
    }
  });

  it('keeps a retry to its time, also when the wall clock has jumped meanwhile', async () => {
    const startedAtMs: number[] = [];
    const { time, start } = worldWithHandler((_n, attempt) => {
      startedAtMs.push(time.monotonicMs());
      return attempt === 1 ? { success: false } : undefined;
    });
    const options = { retryPolicy: fixedRetry(3, 60_000) };
    const first = await start(options);
    await first.publishMany(1);
    await time.advance(20_000);
    await first.close();
    time.jumpWall(-3_600_000);
    const second = await start(options);
    await second.settled();
    const waitedMs = startedAtMs[1]! - startedAtMs[0]!;
    expect(waitedMs).toBeGreaterThanOrEqual(60_000);
    expect(waitedMs).toBeLessThanOrEqual(20_000 + 60_000 + 1_000);
  });

  it('delivers what was published while nobody served the subscription', async () => {
    const { open, seen, start } = worldWithHandler();
    const first = await start();
    await first.close();
    const between = await open();
    await between.publishMany(3);
    await between.close();
    const second = await start();
    await second.settled();
    expect(seen).toEqual(['1#1', '2#1', '3#1']);
  });
});

describe('a crash', () => {
  it('before the settlement is durable delivers again, with the same id and attempt 2', async () => {
    const { time, seen, start } = worldWithHandler();
    const first = await start();
    await first.publishMany(3);
    await time.settle();
    expect(seen).toEqual(['1#1', '2#1', '3#1']);
    first.crash();
    const second = await start();
    await second.settled();
    expect(seen.slice(3)).toEqual(['1#2', '2#2', '3#2']);
  });

  it('after the settlement is durable delivers nothing again', async () => {
    const { time, seen, start } = worldWithHandler();
    const first = await start();
    await first.publishMany(3);
    await time.advance(1_000);
    first.crash();
    const second = await start();
    await second.settled();
    expect(seen).toEqual(['1#1', '2#1', '3#1']);
  });

  it('between the append and the offer loses nothing', async () => {
    const { time, seen, start } = worldWithHandler();
    let isLast = false;
    const first = await start({}, { failpoint: (name) => isLast && name === 'ingest.after-append' && first.crash() });
    await first.publishMany(1);
    await first.settled();
    isLast = true;
    void first.engine.publish(ANONYMOUS, anEvent({ payload: { n: 2 } }));
    await time.advance(100);
    expect([first.isAlive, seen]).toEqual([false, ['1#1']]);
    const second = await start();
    await second.settled();
    expect(seen.slice(1).map((entry) => entry[0])).toEqual(['2']);
  });

  it('at any moment and any number of times loses nothing, and duplicates at most one window each time', async () => {
    const life = fc.record({ publishes: fc.nat(12), livesMs: fc.nat(400) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(life, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 8 }),
        async (lives, inFlightMax) => {
          const { time, seen, start } = worldWithHandler(async () => {
            await time.wait(7);
          });
          let published = 0;
          for (const { publishes, livesMs } of lives) {
            const bus = await start({ inFlightMax, maxConcurrency: 3 });
            await bus.publishMany(publishes, published + 1);
            published += publishes;
            await time.advance(livesMs);
            bus.crash();
          }
          const last = await start({ inFlightMax, maxConcurrency: 3 });
          await last.settled();
          const attempted = new Set(seen.map((entry) => entry.split('#')[0]));
          expect(attempted.size).toBe(published);
          expect(new Set(seen).size, 'no attempt number is used twice').toBe(seen.length);
          expect(seen.length - attempted.size).toBeLessThanOrEqual(lives.length * inFlightMax);
          await last.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('an event that kills its process', () => {
  it('ends as a dead letter instead of looping, and those beside it are delivered', async () => {
    let bus: EngineUnderTest | undefined;
    let deaths = 0;
    const { open, time, seen, request } = worldWithHandler((n) => {
      if (n !== 2) return undefined;
      deaths++;
      bus!.crash();
      return new Promise(() => {});
    });
    const options = { retryPolicy: fixedRetry(2, 100), maxConcurrency: 3 };
    do {
      bus = await open();
      void bus.engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', ...request(bus, options) });
      await time.advance(1_000);
      if (bus.engine.health().head === 0) void bus.publishMany(3).catch(() => {});
      await time.advance(1_000);
    } while (!bus.isAlive && deaths < 10);
    // The first death is nobody's fault yet; then the policy gives three attempts.
    expect(deaths).toBe(4);
    const letters = await bus.deadLetters();
    expect(letters.map((letter) => JSON.parse(letter.event).payload.n)).toEqual([2]);
    expect(letters[0]!.errors.map(({ code }) => code)).toEqual(['process_died', 'process_died', 'process_died']);
    await bus.settled();
    expect(new Set(seen.map((entry) => entry[0]))).toEqual(new Set(['1', '2', '3']));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('is delivered alone after the first death, so that the others are not counted as its accomplices', async () => {
    let underWay = 0;
    let together = 0;
    const { time, start } = worldWithHandler(async (_n, attempt) => {
      underWay++;
      if (attempt > 1) together = Math.max(together, underWay);
      await time.wait(50);
      underWay--;
    });
    const first = await start({ maxConcurrency: 4 });
    await first.publishMany(4);
    await time.advance(10);
    first.crash();
    await time.advance(100);
    underWay = 0;
    const second = await start({ maxConcurrency: 4 });
    await second.settled();
    expect(together).toBe(1);
  });
});
