import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../../src/protocols/ws/heartbeat.ts';

const INTERVAL_MS = 30_000;

function beating() {
  const pings: number[] = [];
  let nowMs = 0;
  const heartbeat = new Heartbeat(() => pings.push(nowMs), INTERVAL_MS, 0);
  /** Looks once a second; returns when the peer was found to be gone. */
  const until = (endMs: number, isFull = false): number | undefined => {
    while (nowMs < endMs) {
      nowMs += 1_000;
      if (!heartbeat.tick(nowMs, isFull)) return nowMs;
    }
    return undefined;
  };
  return { heartbeat, pings, until };
}

describe('Heartbeat', () => {
  it('asks a silent peer after an interval and finds it gone after another', () => {
    const { pings, until } = beating();
    expect(until(100_000)).toBe(60_000);
    expect(pings).toEqual([30_000]);
  });

  it('asks nobody who is heard, and starts anew when a ping was answered', () => {
    const { heartbeat, pings, until } = beating();
    for (let second = 20; second <= 100; second += 20) {
      until(second * 1_000);
      heartbeat.heard();
    }
    expect(pings).toEqual([]);
    until(135_000);
    heartbeat.heard();
    expect(until(150_000)).toBeUndefined();
    expect(pings).toEqual([131_000]);
  });

  it('does not count silence against a peer for which something waits: the ping would wait behind it', () => {
    const { pings, until } = beating();
    until(31_000);
    expect(until(200_000, true)).toBeUndefined();
    expect(pings).toEqual([30_000]);
    expect(until(300_000)).toBe(260_000);
  });

  it('takes many pings for a flood, again and again', () => {
    const { heartbeat, until } = beating();
    for (let count = 0; count < 100; count++) expect(heartbeat.pinged()).toBe(true);
    until(1_000);
    for (let count = 0; count < 100; count++) expect(heartbeat.pinged()).toBe(true);
    expect(heartbeat.pinged()).toBe(false);
  });
});
