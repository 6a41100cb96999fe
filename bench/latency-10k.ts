import { Agent } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { fillJournal } from './fill-journal.ts';
import { openLoop } from './open-loop.ts';
import { postJson } from './post-json.ts';
import { sampleEvent } from './sample-events.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { readSse } from './sse-reader.ts';
import { percentile } from './statistics.ts';

const PER_SECOND = 10_000;
const EVENTS_PER_REQUEST_MAX = 100;
const CONNECTIONS = 32;
const WARM_UP_SECONDS = 1;
const P50_MS_MAX = 2;
const P99_MS_MAX = 10;
const SEALS_MIN = 3;
/** So many events nearly fill the first segment, so that it is sealed soon after the start and two more within 20 s. */
const PREFILLED = 75_000;
const ARRIVAL_MS_MAX = 10_000;

/**
 * Time from the moment an event was due to the moment a client of the stream has it parsed, at a rate that does not wait for
 * anybody. What falls due within a millisecond goes out as one batch, as a client library would send it.
 */
export async function latency10k(bench: Bench): Promise<Measured> {
  const seconds = sized(bench, { full: 60, quick: 19.5, smoke: 0.1 });
  const warmUp = bench.scale === 'smoke' ? 0 : WARM_UP_SECONDS * PER_SECOND;
  const count = warmUp + Math.floor(seconds * PER_SECOND);
  const dataDir = join(bench.folder, 'data');
  await fillJournal(dataDir, sized(bench, { full: PREFILLED, quick: PREFILLED, smoke: 100 }));
  const service = await startServiceUnderTest(dataDir);
  try {
    const before = await segmentsOf(service.url);
    const { latenciesMs, lateMs, missing, refused } = await streamLatencies(service.url, count);
    const seals = (await segmentsOf(service.url)) - before;
    const sentLateP99 = percentile(lateMs.subarray(warmUp), 0.99);
    return conclude(latenciesMs.subarray(warmUp), { missing, refused, seals, sentLateP99 });
  } finally {
    await service.stop();
  }
}

function conclude(
  latenciesMs: Float64Array,
  counts: {
    readonly missing: number;
    readonly refused: number;
    readonly seals: number;
    readonly sentLateP99: number;
  },
): Measured {
  const p50 = percentile(latenciesMs, 0.5);
  const p99 = percentile(latenciesMs, 0.99);
  const isWhole = counts.missing === 0 && counts.refused === 0 && counts.seals >= SEALS_MIN;
  return {
    value: p99,
    unit: 'ms',
    p50,
    p99,
    ok: isWhole && p50 <= P50_MS_MAX && p99 <= P99_MS_MAX,
    note:
      'open loop, from the moment an event is due to the handler of an SSE client; sent in batches of what falls due in a ms; ' +
      `service and client share ${availableParallelism()} cores; value is the p99`,
    details: { ...counts, p999: percentile(latenciesMs, 0.999), max: percentile(latenciesMs, 1) },
  };
}

interface StreamLatencies {
  readonly latenciesMs: Float64Array;
  /** How long after it was due each event was sent: part of its latency that the client's own process makes. */
  readonly lateMs: Float64Array;
  /** Events that did not arrive in time; each counts with the time it was waited for. */
  readonly missing: number;
  readonly refused: number;
}

async function streamLatencies(url: string, count: number): Promise<StreamLatencies> {
  const arrivedMs = new Float64Array(count);
  const lateMs = new Float64Array(count);
  let arrived = 0;
  const { promise: all, resolve: onAll } = Promise.withResolvers<void>();
  const stream = await readSse(`${url}/events/stream?topic=%23`, (data) => {
    const { payload } = JSON.parse(data) as { payload: { index: number } };
    arrivedMs[payload.index] = performance.now();
    if (++arrived === count) onAll();
  });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answers: Promise<number>[] = [];
  let startedMs = 0;
  const send = (from: number, to: number) => {
    const nowMs = performance.now();
    for (let index = from; index < to; index++) lateMs[index] = nowMs - startedMs - (index * 1_000) / PER_SECOND;
    answers.push(...publish(url, agent, from, to));
  };
  await openLoop({ perSecond: PER_SECOND, count, send }, (at) => {
    startedMs = at;
  });
  const statuses = await Promise.all(answers);
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS_MAX))]);
  stream.destroy();
  agent.destroy();
  const endMs = performance.now();
  const latenciesMs = arrivedMs.map((at, index) => (at || endMs) - startedMs - (index * 1_000) / PER_SECOND);
  return { latenciesMs, lateMs, missing: count - arrived, refused: statuses.filter((status) => status !== 201).length };
}

function publish(url: string, agent: Agent, from: number, to: number): Promise<number>[] {
  const answers: Promise<number>[] = [];
  for (let first = from; first < to; first += EVENTS_PER_REQUEST_MAX) {
    const size = Math.min(EVENTS_PER_REQUEST_MAX, to - first);
    const events = Array.from({ length: size }, (_, offset) => sampleEvent(first + offset));
    answers.push(postJson(`${url}/events/batch`, JSON.stringify(events), agent));
  }
  return answers;
}

/** Segments of the log, the active one included: one more means that one was sealed. */
async function segmentsOf(url: string): Promise<number> {
  const health = (await (await fetch(`${url}/health`)).json()) as { adapter: { facts: { segments: number } } };
  return health.adapter.facts.segments;
}
