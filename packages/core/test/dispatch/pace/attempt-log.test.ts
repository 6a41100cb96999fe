import { mostInWindow } from '@event-manager/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttemptLog } from '../../../src/dispatch/pace/attempt-log.ts';

const WINDOW_MS = 60_000;

/** Steps of time with the attempts that are wanted after each. */
const STEPS = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 70_000 })),
    wanted: fc.integer({ min: 0, max: 40 }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('a log of attempts', () => {
  it('never lets more than the limit into any window, whatever comes when, also across its record', () => {
    fc.assert(
      fc.property(
        STEPS,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 60 }),
        (steps, limit, restartAt) => {
          let log = new AttemptLog(WINDOW_MS);
          const madeAtMs: number[] = [];
          let nowMs = 1_000;
          for (const [step, { waitMs, wanted }] of steps.entries()) {
            nowMs += waitMs;
            if (step === restartAt)
              log = AttemptLog.fromJson(WINDOW_MS, JSON.parse(JSON.stringify(log.toJson(nowMs))), nowMs);
            log.forget(nowMs);
            const made = Math.min(wanted, limit - log.count);
            if (made > 0) log.add(made, nowMs);
            for (let at = 0; at < made; at++) madeAtMs.push(nowMs);
          }
          expect(mostInWindow(madeAtMs, WINDOW_MS)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('says when the next ones leave the window, a grain late at the most', () => {
    const log = new AttemptLog(WINDOW_MS);
    expect(log.nextAtMs).toBe(Number.POSITIVE_INFINITY);
    for (const atMs of [0, 10, 49, 50, 120]) log.add(1, atMs);
    expect([log.count, log.nextAtMs]).toEqual([5, WINDOW_MS + 49]);
    log.forget(WINDOW_MS + 49);
    expect([log.count, log.nextAtMs]).toEqual([2, WINDOW_MS + 50]);
    log.forget(WINDOW_MS + 120);
    expect([log.count, log.nextAtMs]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it('stays small, however many attempts there are', () => {
    const log = new AttemptLog(WINDOW_MS);
    for (let nowMs = 0; nowMs < 3 * WINDOW_MS; nowMs++) {
      log.forget(nowMs);
      log.add(1_000, nowMs);
    }
    const entries = log.toJson(3 * WINDOW_MS) as unknown[];
    expect(entries.length).toBeLessThanOrEqual(WINDOW_MS / 50 + 1);
    expect(JSON.stringify(entries).length).toBeLessThan(20_000);
    expect(log.count).toBeGreaterThanOrEqual(1_000 * (WINDOW_MS - 1));
  });
});
