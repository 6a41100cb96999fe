import { type RateLimitingOptions, rateLimitingMiddleware } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

function limitedBus(options: RateLimitingOptions) {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime });
  bus.use(rateLimitingMiddleware(options));
  const outcome = (event: { type: string; priority?: 'CRITICAL'; source?: string }) =>
    time.run(
      bus.publish({ ...event, data: {} }).then(
        () => 'stored',
        (error) => error,
      ),
    );
  return { time, bus, outcome };
}

it('refuses at once what comes too fast, with the count and the time to wait', async () => {
  const { time, bus, outcome } = limitedBus({ limit: 2, windowMs: 1_000 });
  const startedMs = time.monotonicMs();
  expect(await outcome({ type: 'a' })).toBe('stored');
  expect(await outcome({ type: 'a' })).toBe('stored');
  expect(await outcome({ type: 'a' })).toMatchObject({
    code: 'rate_limited',
    retryable: true,
    details: { retryAfterMs: 500, limit: 2, windowMs: 1_000, refused: 1 },
  });
  expect(await outcome({ type: 'a' })).toMatchObject({ details: { refused: 2 } });
  expect(time.monotonicMs()).toBe(startedMs);
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ name: 'rateLimiting', passed: 2, refused: 2, failed: 0 });
  await time.advance(500);
  expect(await outcome({ type: 'a' })).toBe('stored');
  expect(await outcome({ type: 'a' })).toMatchObject({ code: 'rate_limited' });
});

it('gives every key an allowance of its own, and lets critical events pass where that was asked for', async () => {
  const { outcome } = limitedBus({ limit: 1, key: ({ source }) => source, criticalAlways: true });
  expect(await outcome({ type: 'a', source: 'x' })).toBe('stored');
  expect(await outcome({ type: 'a', source: 'y' })).toBe('stored');
  expect(await outcome({ type: 'a', source: 'x' })).toMatchObject({ code: 'rate_limited' });
  expect(await outcome({ type: 'a', source: 'x', priority: 'CRITICAL' })).toBe('stored');
});

it('never lets pass more than the allowance and what fills up meanwhile', async () => {
  const run = fc.asyncProperty(
    fc.integer({ min: 1, max: 5 }),
    fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 }),
    async (limit, waits) => {
      const time = { nowMs: 0 };
      const clock = { wallMs: () => time.nowMs, monotonicMs: () => time.nowMs };
      const middleware = rateLimitingMiddleware({ limit, windowMs: 1_000 });
      const passedAtMs: number[] = [];
      for (const waitMs of waits) {
        time.nowMs += waitMs;
        try {
          middleware({} as never, async () => void passedAtMs.push(time.nowMs) as never, {
            runtime: { clock },
          } as never);
        } catch {
          // Refused.
        }
      }
      for (const [at, fromMs] of passedAtMs.entries()) {
        for (const [more, toMs] of passedAtMs.slice(at).entries()) {
          expect(more + 1).toBeLessThanOrEqual(limit + ((toMs - fromMs) / 1_000) * limit + 0.01);
        }
      }
      expect(passedAtMs.length).toBeGreaterThanOrEqual(Math.min(limit, waits.length));
    },
  );
  await fc.assert(run, { numRuns: 200 });
});

it('refuses a limit that lets nothing pass', () => {
  expect(() => rateLimitingMiddleware({ limit: 0 })).toThrow(TypeError);
  expect(() => rateLimitingMiddleware({ limit: 1, windowMs: Number.POSITIVE_INFINITY })).toThrow(TypeError);
  expect(() => rateLimitingMiddleware({ limit: 1, windowMS: 5 } as never)).toThrow('windowMS');
});

it('lets others pass again as soon as after any full load, however many critical events came', async () => {
  const { time, outcome } = limitedBus({ limit: 2, windowMs: 1_000, criticalAlways: true });
  for (let n = 0; n < 100; n++) expect(await outcome({ type: 'a', priority: 'CRITICAL' })).toBe('stored');
  expect(await outcome({ type: 'a' })).toMatchObject({ details: { retryAfterMs: 500 } });
  await time.advance(500);
  expect(await outcome({ type: 'a' })).toBe('stored');
});
