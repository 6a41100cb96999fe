import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { Arrivals } from './arrivals.ts';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { fillJournal } from './fill-journal.ts';
import { publishOnSchedule } from './publish-on-schedule.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { percentile } from './statistics.ts';

const PER_SECOND = 10_000;
const WARM_UP_SECONDS = 1;
const P50_MS_MAX = 2;
const P99_MS_MAX = 10;
const SEALS_MIN = 3;
/** So many events nearly fill the first segment, so that it is sealed soon after the start and two more within 20 s. */
const PREFILLED = 75_000;

/**
 * Time from the moment an event was due to the moment a handler of the client has it, over WebSocket and with
 * acknowledgements, at a rate that does not wait for anybody.
 */
export async function latency10k(bench: Bench): Promise<Measured> {
  const seconds = sized(bench, { full: 60, quick: 19.5, smoke: 0.1 });
  const warmUp = bench.scale === 'smoke' ? 0 : WARM_UP_SECONDS * PER_SECOND;
  const count = warmUp + Math.floor(seconds * PER_SECOND);
  const dataDir = join(bench.folder, 'data');
  await fillJournal(dataDir, sized(bench, { full: PREFILLED, quick: PREFILLED, smoke: 100 }));
  const service = await startServiceUnderTest(dataDir);
  const client = new EventManagerClient(service.url);
  try {
    const before = await segmentsOf(service.url);
    const arrivals = new Arrivals(count, PER_SECOND);
    await client.subscribe({
      topic: '#',
      options: { maxConcurrency: 1_000 },
      handler({ payload }) {
        arrivals.arrived(payload['index'] as number);
      },
    });
    const onStart = (startedMs: number) => arrivals.start(startedMs);
    const { lateMs, refused } = await publishOnSchedule({ url: service.url, perSecond: PER_SECOND, count, onStart });
    await arrivals.settled();
    const { p50, p99, p999, max } = arrivals.latencies(warmUp);
    const { missing } = arrivals;
    const seals = (await segmentsOf(service.url)) - before;
    const sentLateP99 = percentile(Float64Array.from(lateMs.subarray(warmUp)), 0.99);
    const isWhole = missing === 0 && refused === 0 && seals >= SEALS_MIN;
    return {
      value: p99,
      unit: 'ms',
      p50,
      p99,
      ok: isWhole && p50 <= P50_MS_MAX && p99 <= P99_MS_MAX,
      note:
        'open loop, from the moment an event is due to the handler of a client over WebSocket; sent in HTTP batches of what falls due in a ms; ' +
        `service and client share ${availableParallelism()} cores; value is the p99`,
      details: { missing, refused, seals, sentLateP99, p999, max },
    };
  } finally {
    await client.close();
    await service.stop();
  }
}

/** Segments of the log, the active one included: one more means that one was sealed. */
async function segmentsOf(url: string): Promise<number> {
  const health = (await (await fetch(`${url}/health`)).json()) as { adapter: { facts: { segments: number } } };
  return health.adapter.facts.segments;
}
