import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { percentile } from './statistics.ts';

const P99_MS_MAX = 5;
const handler = () => {};

/** Subscribing and unsubscribing, both durable, one after the other, beside a thousand subscriptions. */
export async function subscribe(bench: Bench): Promise<Measured> {
  const present = sized(bench, { full: 1_000, quick: 1_000, smoke: 20 });
  const pairs = sized(bench, { full: 3_000, quick: 500, smoke: 20 });
  const bus = new EventManager({ adapter: journal({ directory: bench.folder }) });
  await Promise.all(
    Array.from({ length: present }, (_, index) => {
      return bus.subscribe({ topic: `bench/present/${index}`, name: `present-${index}`, handler });
    }),
  );
  const tookMs: number[] = [];
  const warmUp = Math.ceil(pairs / 10);
  for (let index = -warmUp; index < pairs; index++) {
    const startedMs = performance.now();
    const { id } = await bus.subscribe({ topic: `bench/passing/${index}`, name: `passing-${index}`, handler });
    await bus.unsubscribe(id);
    if (index >= 0) tookMs.push(performance.now() - startedMs);
  }
  await bus.close();
  const p99 = percentile(tookMs, 0.99);
  return {
    value: p99,
    unit: 'ms',
    p50: percentile(tookMs, 0.5),
    p99,
    ok: p99 <= P99_MS_MAX,
    note: `one named subscription subscribed and unsubscribed, ${present} present; value is the p99 of the pair`,
  };
}
