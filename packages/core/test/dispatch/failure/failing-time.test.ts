import { describe, expect, it } from 'vitest';
import { FailingTime } from '../../../src/dispatch/failure/failing-time.ts';

const LIMIT_MS = 1_000;
const WALL_MS = Date.UTC(2026, 10, 20);

/** What each of the failures at these times says. */
function says(subject: FailingTime, timesMs: readonly number[], wallMs: (atMs: number) => number = () => WALL_MS) {
  return timesMs.map((atMs) => subject.failed(atMs, wallMs(atMs)));
}

describe('the time of failing', () => {
  it('says once when half of it is over, and once when all of it is', () => {
    const subject = new FailingTime(LIMIT_MS, 'a');
    const told = says(subject, [0, 250, 500, 750, 999, 1_000, 1_100]);
    expect(told).toEqual([undefined, undefined, 'half', undefined, undefined, 'all', undefined]);
    expect(subject.sinceWallMs).toBe(WALL_MS);
  });

  it('begins anew with anything that is taken', () => {
    const subject = new FailingTime(LIMIT_MS, 'a');
    for (let round = 0; round < 10; round++) {
      expect(
        says(
          subject,
          [0, 400, 900].map((atMs) => round * 1_000 + atMs),
        ),
      ).toEqual([undefined, undefined, 'half']);
      subject.end();
      expect([subject.isFailing, subject.forMs]).toEqual([false, 0]);
    }
  });

  it('counts a wait in which nothing was tried for half of it at the most', () => {
    const subject = new FailingTime(LIMIT_MS, 'a');
    expect(says(subject, [0, 1_000_000])).toEqual([undefined, 'half']);
    expect(says(subject, [2_000_000])).toEqual(['all']);
  });

  it('is not moved by a wall clock that jumps', () => {
    const subject = new FailingTime(LIMIT_MS, 'a');
    expect(says(subject, [0, 100, 200], (atMs) => WALL_MS + atMs * 1e9)).toEqual([undefined, undefined, undefined]);
    expect(subject.forMs).toBe(200);
  });

  it('is kept over a restart, which adds nothing to it, and does not say again what was said', () => {
    const before = new FailingTime(LIMIT_MS, 'a');
    says(before, [0, 300, 600]);
    const after = new FailingTime(LIMIT_MS, 'a', JSON.parse(JSON.stringify(before.toJson())));
    expect([after.forMs, after.sinceWallMs, after.isFailing]).toEqual([600, WALL_MS, true]);
    expect(says(after, [5_000_000, 5_000_399, 5_000_400])).toEqual([undefined, undefined, 'all']);
  });

  it('is not that of another address', () => {
    const before = new FailingTime(LIMIT_MS, 'https://a.example/');
    says(before, [0, 300]);
    expect(JSON.stringify(before.toJson())).not.toContain('a.example');
    expect(new FailingTime(LIMIT_MS, 'https://b.example/', before.toJson()).isFailing).toBe(false);
  });

  it('is never over where nobody limits it', () => {
    const subject = new FailingTime(0, 'a');
    expect(new Set(says(subject, [0, 1e9, 2e9, 3e9]))).toEqual(new Set([undefined]));
    expect(subject.isFailing).toBe(true);
  });
});
