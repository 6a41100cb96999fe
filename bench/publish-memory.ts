import { type EventIn, EventManager, memory } from '@event-manager/core';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { median, percentile } from './statistics.ts';

const WINDOW = 64;
const ROUNDS = 5;
const PER_SECOND_MIN = 200_000;
const P99_MS_MAX = 1;
/** `MAX_HISTORY` of the embedded bus. */
const HISTORY = 1_000;

/** Through the whole engine on the memory adapter: id, history, retry policy, one handler, whose first attempt is awaited. */
export async function publishMemory(bench: Bench): Promise<Measured> {
  const count = sized(bench, { full: 300_000, quick: 100_000, smoke: 500 });
  const rates: number[] = [];
  const p50s: number[] = [];
  const p99s: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const { perSecond, latenciesMs } = await publishRound(count);
    if (round === 0) continue;
    rates.push(perSecond);
    p50s.push(percentile(latenciesMs, 0.5));
    p99s.push(percentile(latenciesMs, 0.99));
  }
  const value = median(rates);
  const p99 = median(p99s);
  return {
    value,
    unit: 'events/s',
    p50: median(p50s),
    p99,
    ok: value >= PER_SECOND_MIN && p99 < P99_MS_MAX,
    note: `${WINDOW} in flight; p50 and p99 in ms, medians of ${ROUNDS} rounds; each publish awaits its handler`,
  };
}

async function publishRound(count: number): Promise<{ perSecond: number; latenciesMs: Float64Array }> {
  const bus = new EventManager({ adapter: memory({ maxHistorySize: HISTORY }) });
  let handled = 0;
  const retryPolicy = { maxRetries: 3, strategy: 'exponential' } as const;
  const handler = () => {
    handled++;
  };
  await bus.subscribe({ topic: 'bench/#', handler, options: { retryPolicy } });
  globalThis.gc?.();
  const result = await inFlight({ count, window: WINDOW, call: (index) => bus.publish(plainEvent(index)) });
  await bus.close();
  if (handled !== count) throw new RangeError(`${handled} of ${count} events were handled.`);
  return result;
}

function plainEvent(index: number): EventIn {
  return {
    type: 'bench.memory',
    source: 'bench',
    topic: 'bench/memory',
    payload: { index, text: 'something happened' },
  };
}
