import { decodeEvent, type EventBusAdapter, EventManager } from '@event-manager/core';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { BOUNDED, INDEXED, type Kept, spanOf } from './query-kinds.ts';
import { percentiles } from './statistics.ts';

const P99_MS_MAX = 50;
/** The budget of one search, and what the last of its pieces may take beyond it. */
const BOUNDED_MS_MAX = 1_500;

/**
 * Asks for pages one at a time, each about an event at a random place of the log: `count` of each kind that an index answers, a
 * tenth of them of each that its budget ends.
 */
export async function measureQueries(bench: Bench, adapter: EventBusAdapter): Promise<Measured> {
  const count = sized(bench, { full: 1_000, quick: 300, smoke: 10 });
  const bus = new EventManager({ adapter });
  const { head } = await bus.getHealth();
  const samples = await randomEvents(adapter, head, count);
  const details: Record<string, number> = {};
  const late: string[] = [];
  let worst = 0;
  for (const [name, ask] of Object.entries(INDEXED)) {
    const { tookMs, incomplete } = await timed(shuffled(samples), (sample) => ask(bus, sample, spanOf(samples)));
    const p99 = noted(details, name, tookMs);
    if (incomplete > 0) details[`${name}Incomplete`] = incomplete;
    if (p99 > P99_MS_MAX) late.push(name);
    worst = Math.max(worst, p99);
  }
  for (const [name, ask] of Object.entries(BOUNDED)) {
    const some = shuffled(samples).slice(0, Math.ceil(count / 30));
    const { tookMs, incomplete } = await timed(some, (sample) => ask(bus, sample, spanOf(samples)));
    if (noted(details, name, tookMs) > BOUNDED_MS_MAX) late.push(name);
    details[`${name}Incomplete`] = incomplete;
  }
  await bus.close();
  const words = late.length === 0 ? '' : `; late: ${late.join(', ')}`;
  return {
    ...{ value: worst, unit: 'ms', limit: P99_MS_MAX, ok: late.length === 0, details },
    note: `${head} events; pages of 100, one at a time; value is the worst p99 of an indexed kind, first calls included; those that end by budget have ${BOUNDED_MS_MAX} ms${words}`,
  };
}

function noted(details: Record<string, number>, name: string, tookMs: readonly number[]): number {
  const [p50, p99] = percentiles(tookMs, 0.5, 0.99) as [number, number];
  details[`${name}P50`] = p50;
  details[`${name}P99`] = p99;
  process.stderr.write(`  ${name.padEnd(16)} p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms\n`);
  return p99;
}

async function timed(samples: readonly Kept[], ask: (sample: Kept) => Promise<{ readonly complete: boolean }>) {
  const tookMs: number[] = [];
  let incomplete = 0;
  for (const sample of samples) {
    const startedMs = performance.now();
    const { complete } = await ask(sample);
    tookMs.push(performance.now() - startedMs);
    if (!complete) incomplete++;
  }
  return { tookMs, incomplete };
}

/** Events at random places, in the order of the log. */
async function randomEvents({ store }: EventBusAdapter, head: number, count: number): Promise<Kept[]> {
  const positions = Array.from({ length: count }, () => 1 + Math.floor(Math.random() * head)).sort((a, b) => a - b);
  const kept: Kept[] = [];
  for (const position of positions) {
    const [record] = await store.get([{ partition: 0, position }]);
    if (record) kept.push({ event: decodeEvent(record.body), recordedAtMs: record.recordedAtMs });
  }
  return kept;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
