import { decodeEvent, type Event, EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { LARGE_LOG } from './log-sizes.ts';
import { preparedJournal } from './prepared-journal.ts';
import { percentile } from './statistics.ts';

const PAGE = 100;
const P99_MS_MAX = 50;
/** A time query asks for one hundredth of the time in which the log was written. */
const SPAN_SHARE = 0.01;

interface Kept {
  readonly event: Event;
  readonly recordedAtMs: number;
}

type Ask = (bus: EventManager, sample: Kept, spanMs: number) => Promise<unknown>;

const QUERIES: Readonly<Record<string, Ask>> = {
  topic: (bus, { event }) => bus.getEvents({ topic: event.topic }, { limit: PAGE, direction: 'backward' }),
  typeAndTime: (bus, { event, recordedAtMs }, spanMs) =>
    bus.getEvents({ types: [event.type], from: recordedAtMs, to: recordedAtMs + spanMs }, { limit: PAGE }),
  correlationId: (bus, { event }) => bus.getEvents({ correlationId: event.correlationId }, { limit: PAGE }),
  id: (bus, { event }) => bus.getEvent(event.id),
};

/** Pages of a hundred over the large log, each asked about an event at a random place of it. */
export async function query(bench: Bench): Promise<Measured> {
  const directory = await preparedJournal(bench, sized(bench, LARGE_LOG));
  const count = sized(bench, { full: 1_000, quick: 300, smoke: 10 });
  const adapter = journal({ directory });
  const bus = new EventManager({ adapter });
  const { head } = await bus.getHealth();
  const samples = await randomEvents(adapter, head, count);
  const spanMs = Math.ceil((samples.at(-1)!.recordedAtMs - samples[0]!.recordedAtMs) * SPAN_SHARE) + 1;
  const p99s: number[] = [];
  const details: Record<string, number> = {};
  for (const [name, ask] of Object.entries(QUERIES)) {
    const tookMs: number[] = [];
    for (const sample of shuffled(samples)) {
      const startedMs = performance.now();
      await ask(bus, sample, spanMs);
      tookMs.push(performance.now() - startedMs);
    }
    details[`${name}P50`] = percentile(tookMs, 0.5);
    details[`${name}P99`] = percentile(tookMs, 0.99);
    p99s.push(percentile(tookMs, 0.99));
  }
  await bus.close();
  const value = Math.max(...p99s);
  return {
    value,
    unit: 'ms',
    ok: value <= P99_MS_MAX,
    note: `${head} events; pages of ${PAGE}, one at a time; value is the worst p99 of the four queries, first calls included`,
    details,
  };
}

/** Events at random places, in the order of the log. */
async function randomEvents(adapter: ReturnType<typeof journal>, head: number, count: number): Promise<Kept[]> {
  const positions = Array.from({ length: count }, () => 1 + Math.floor(Math.random() * head)).sort((a, b) => a - b);
  const kept: Kept[] = [];
  for (const position of positions) {
    const [record] = await adapter.store.get([{ partition: 0, position }]);
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
