import { ComponentRegistry } from '@event-manager/components';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { median, percentiles } from './statistics.ts';

const P99_MS_MAX = 1;

/**
 * How long a component waits for `emit`, which hands the event over and goes on. Each call is measured while the queue fills with
 * what was emitted before: nothing leaves in between, so that is the worst it can be short of a full queue.
 */
export async function componentEmit(bench: Bench): Promise<Measured> {
  const rounds = sized(bench, { full: 9, quick: 5, smoke: 1 });
  const events = sized(bench, { full: 100_000, quick: 100_000, smoke: 1_000 });
  const p50s: number[] = [];
  const p99s: number[] = [];
  const worst: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [p50, p99, max] = percentiles(await waits(events), 0.5, 0.99, 1);
    if (round === 0) continue;
    p50s.push(p50!);
    p99s.push(p99!);
    worst.push(max!);
  }
  const p99 = median(p99s);
  return {
    value: p99,
    unit: 'ms',
    p50: median(p50s),
    p99,
    ok: p99 < P99_MS_MAX,
    note: `one call of emit, ${events} in one go; medians of ${rounds}`,
    details: { worstMs: median(worst) },
  };
}

async function waits(events: number): Promise<Float64Array> {
  let published = 0;
  const config = { enabled: true, bufferSize: events };
  const bus = { publish: () => void published++ };
  await using registry = await ComponentRegistry.withEventBus(bus, config, { environment: {} });
  const context = registry.createExecutionContext({ source: 'bench' });
  const waitsMs = new Float64Array(events);
  for (let n = 0; n < events; n++) {
    const beganMs = performance.now();
    context.emit('bench.emit', { n });
    waitsMs[n] = performance.now() - beganMs;
  }
  await registry.flush();
  if (published !== events) throw new RangeError(`${published} of ${events} events arrived.`);
  return waitsMs;
}
