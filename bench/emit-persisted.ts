import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EventBus } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { median, percentile } from './statistics.ts';

/** Fits into what may wait for the store: a larger burst would be refused with `overloaded`, as it should be. */
const BURST = 9_000;
const PAUSE_MS = 100;
const PER_SECOND_MIN = 90_000;
const ACCEPT_P99_MS_MAX = 1;

/**
 * Bursts that nobody waits for event by event, on a journal: `publish` is called in one go, and the burst is over when the last
 * event is on the disk. What a component feels is the time of one call; it is measured for each.
 */
export async function emitPersisted(bench: Bench): Promise<Measured> {
  const bursts = sized(bench, { full: 60, quick: 15, smoke: 1 });
  const size = sized(bench, { full: BURST, quick: BURST, smoke: 500 });
  await using bus = new EventBus(journal({ directory: join(bench.folder, 'journal') }), 'bench');
  await bus.initialize();
  const durable: number[] = [];
  const accepted: number[] = [];
  const acceptP99s: number[] = [];
  for (let at = 0; at <= bursts; at++) {
    const { acceptMs, acceptP99Ms, durableMs } = await burst(bus, size);
    if (at === 0) continue;
    accepted.push((size * 1_000) / acceptMs);
    durable.push((size * 1_000) / durableMs);
    acceptP99s.push(acceptP99Ms);
    await wait(PAUSE_MS);
  }
  const value = median(durable);
  const p99 = median(acceptP99s);
  return {
    value,
    unit: 'events/s',
    p99,
    ok: value >= PER_SECOND_MIN && p99 < ACCEPT_P99_MS_MAX,
    note: `bursts of ${size}, from the first call to the last acknowledgement; p99 of one call in ms; medians of ${bursts}`,
    details: { acceptedPerSecond: median(accepted) },
  };
}

async function burst(bus: EventBus, size: number) {
  const calls = new Float64Array(size);
  const acknowledged: Promise<unknown>[] = [];
  const startedMs = performance.now();
  let calledMs = startedMs;
  for (let at = 0; at < size; at++) {
    acknowledged.push(bus.publish('bench/persisted', 'bench.persisted', { index: at, text: 'something happened' }));
    const nowMs = performance.now();
    calls[at] = nowMs - calledMs;
    calledMs = nowMs;
  }
  const acceptMs = performance.now() - startedMs;
  await Promise.all(acknowledged);
  return { acceptMs, acceptP99Ms: percentile(calls, 0.99), durableMs: performance.now() - startedMs };
}
