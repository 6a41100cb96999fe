import { ComponentRegistry } from '@event-manager/components';
import { EventBus } from '@event-manager/core';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { median } from './statistics.ts';

const EVENTS_PER_SECOND = 1_000;
/** Started and completed. */
const EVENTS_PER_CALL = 2;
const TICK_MS = 10;
const CALLS_PER_TICK = (EVENTS_PER_SECOND / EVENTS_PER_CALL / 1_000) * TICK_MS;
const ROUNDS = 5;
const SHARE_MAX = 0.01;
/** What a component does in a call, without waiting: so much that there is something to be slowed down. */
const WORK = 2_000;

/**
 * A component that is called 500 times a second, with events off and on in turns: what the processor does more is the price of 1,000
 * events a second, as a share of one core. The bus is in memory, with one subscriber.
 */
export async function componentOverhead(bench: Bench): Promise<Measured> {
  const roundMs = sized(bench, { full: 10_000, quick: 3_000, smoke: 200 });
  const bus = new EventBus();
  let heard = 0;
  await bus.subscribe('tool.*', () => void heard++);
  const registry = await ComponentRegistry.withEventBus(bus, {}, { environment: {} });
  const component = registry.createExecutionContext({ source: 'bench' }).wrapTool('work', work);
  const shares: Record<'off' | 'on', number[]> = { off: [], on: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const how of ['off', 'on'] as const) {
      await (how === 'on' ? registry.enable() : registry.disable());
      const share = await shareOfCore(roundMs, component);
      if (round > 0) shares[how].push(share);
    }
  }
  const { accepted = 0, published = 0 } = registry.status().counts ?? {};
  await registry.close();
  await bus.close();
  if (accepted !== published || heard !== published) throw new RangeError(`${heard} of ${accepted} events were heard.`);
  const [off, on] = [median(shares.off), median(shares.on)];
  const value = (on - off) * 100;
  return {
    value,
    unit: '% of a core',
    ok: on - off < SHARE_MAX,
    note: `${EVENTS_PER_SECOND} events/s to a bus in memory; medians of ${ROUNDS} rounds of ${roundMs / 1_000} s, off and on in turns`,
    details: {
      offPercent: off * 100,
      onPercent: on * 100,
      microsecondsPerEvent: ((on - off) * 1e6) / EVENTS_PER_SECOND,
    },
  };
}

function work(seed: number): number {
  let sum = seed;
  for (let n = 0; n < WORK; n++) sum = (sum * 31 + n) % 65_521;
  return sum;
}

/** Of the time of the processor, user and kernel. A late tick makes up for what it missed. */
async function shareOfCore(durationMs: number, component: (seed: number) => number): Promise<number> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  let calls = 0;
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startMs) {
    const due = (elapsedMs / TICK_MS) * CALLS_PER_TICK;
    while (calls < due) component(calls++);
    await new Promise((done) => setTimeout(done, TICK_MS));
  }
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1_000 / (performance.now() - startMs);
}
