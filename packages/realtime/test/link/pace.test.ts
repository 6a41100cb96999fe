import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/link/backoff.ts';
import { Heartbeat } from '../../src/link/heartbeat.ts';
import { Outflow } from '../../src/link/outflow.ts';

const chance = (fraction: number) => ({ fraction: () => fraction, fill: () => {} });

/** The first five tries decide how long a receiver waits for its fallback. */
it('five tries fail within half a second, later ones come every few seconds', () => {
  const waits = (fraction: number) => [0, 1, 2, 3, 4].map((tries) => backoffMs(tries, chance(fraction)));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  expect(sum(waits(0.999))).toBeLessThanOrEqual(500);
  expect(sum(waits(0))).toBeGreaterThan(200);
  expect(backoffMs(1_000, chance(0.999))).toBeLessThanOrEqual(5_000);
  expect(backoffMs(1_000, chance(0))).toBe(2_500);
});

describe('Heartbeat', () => {
  function setUp(everyMs: number) {
    const time = new VirtualTime();
    let pings = 0;
    let silences = 0;
    const heartbeat = new Heartbeat({ timers: time, everyMs, ping: () => pings++, onSilence: () => silences++ });
    heartbeat.start();
    return { time, heartbeat, counts: () => [pings, silences] };
  }

  it('finds a silent peer ten seconds after the ping at the latest', async () => {
    const { time, heartbeat, counts } = setUp(30_000);
    heartbeat.heard();
    await time.advance(39_999);
    expect(counts()).toEqual([1, 0]);
    await time.advance(1);
    expect(counts()).toEqual([1, 1]);
  });

  it('goes on with one that answers', async () => {
    const { time, heartbeat, counts } = setUp(1_000);
    for (let second = 0; second < 10; second++) {
      await time.advance(1_000);
      heartbeat.heard();
      await time.advance(1_000);
    }
    expect(counts()).toEqual([10, 0]);
    heartbeat.stop();
    await time.advance(60_000);
    expect(counts()).toEqual([10, 0]);
  });
});

/** One that reads nothing would otherwise fill our memory, or hold its deliveries until each has failed. */
it('Outflow: full at a mebibyte, stalled when nothing left for ten seconds', async () => {
  const time = new VirtualTime();
  const outflow = new Outflow(time);
  outflow.added(1024 * 1024 - 1);
  expect(outflow.isFull).toBe(false);
  outflow.added(1);
  expect(outflow.isFull).toBe(true);
  await time.advance(9_000);
  outflow.left(1);
  await time.advance(9_000);
  expect([outflow.isFull, outflow.isStalled]).toEqual([false, false]);
  await time.advance(1_000);
  expect(outflow.isStalled).toBe(true);
  outflow.left(1024 * 1024 - 1);
  expect(outflow.isStalled).toBe(false);
});
