import { ANONYMOUS, type EventHandler } from '@event-manager/core';
import { SeededChance } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { openMemory } from '../../open-engine.ts';

/** The whole is 100,000: set REPLAY_EVENTS. */
const EVENTS = Number(process.env['REPLAY_EVENTS'] ?? 1_000);
const LIVE_PER_SECOND = 200;
const TOOK_MS = { least: 2, most: 30 };
/** What is replayed takes its receiver longer: a replay with every call that is free would make live events wait for the end of one. */
const REPLAYED_TAKES = 8;
const MAX_CONCURRENCY = 16;

/** How long live events waited for the end of their handler, while a replay goes on or does not. */
async function live(replays: boolean) {
  const chance = new SeededChance(42);
  const bus = await openMemory();
  const { time, engine } = bus;
  const waitedMs: number[] = [];
  const publishedMs = new Map<number, number>();
  let replayed = 0;
  let isPast = true;
  let underWay = 0;
  let most = 0;
  const handler: EventHandler = async (event, { replay }) => {
    if (isPast) return;
    most = Math.max(most, ++underWay);
    const tookMs = TOOK_MS.least + chance.fraction() * (TOOK_MS.most - TOOK_MS.least);
    await time.wait(replay ? REPLAYED_TAKES * tookMs : tookMs);
    underWay--;
    if (replay) replayed++;
    else waitedMs.push(time.monotonicMs() - publishedMs.get(event.payload['n'] as number)!);
  };
  await bus.subscribe({ name: 's', handler, options: { maxConcurrency: MAX_CONCURRENCY } });
  for (let first = 1; first <= EVENTS; first += 1_000)
    await bus.publishMany(Math.min(1_000, EVENTS - first + 1), first);
  await bus.settled();
  isPast = false;
  const run = replays ? await time.run(engine.runs.start(ANONYMOUS, 'replay', { all: true })) : undefined;
  const isOver = async () =>
    run ? (await time.run(engine.runs.get(ANONYMOUS, run.id))).endedAtMs !== undefined : waitedMs.length >= 4_000;
  for (let n = EVENTS + 1; !(await isOver()); n++) {
    await time.advance((-Math.log(1 - chance.fraction()) * 1_000) / LIVE_PER_SECOND);
    publishedMs.set(n, time.monotonicMs());
    void engine.publish(ANONYMOUS, { type: 'live', source: 'test', payload: { n } });
  }
  await bus.settled();
  const counts = run && (await time.run(engine.runs.get(ANONYMOUS, run.id))).counts;
  const sorted = waitedMs.toSorted((a, b) => a - b);
  return { p99Ms: sorted[Math.floor(sorted.length * 0.99)]!, live: sorted.length, replayed, counts, most };
}

it('lets live events through as if it were not there: their p99 grows by half at the most', {
  timeout: 600_000,
}, async () => {
  const alone = await live(false);
  const beside = await live(true);
  process.stdout.write(
    `${JSON.stringify({ test: 'D6', events: EVENTS, p99Ms: { alone: alone.p99Ms, beside: beside.p99Ms }, live: beside.live })}\n`,
  );
  expect(beside.counts).toMatchObject({ done: EVENTS, failed: 0 });
  expect(beside.replayed).toBe(EVENTS);
  expect(beside.p99Ms).toBeLessThanOrEqual(1.5 * alone.p99Ms);
  // The two together are never more than the subscription may have under way.
  expect(beside.most).toBeLessThanOrEqual(MAX_CONCURRENCY);
});
