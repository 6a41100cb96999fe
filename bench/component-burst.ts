import { type ComponentEvent, ComponentRegistry } from '@event-manager/components';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { median } from './statistics.ts';

/** Started and completed. */
const EVENTS_PER_CALL = 2;
const PER_SECOND_MIN = 90_000;

/**
 * As many events as wrapped components can tell at once: they are called in one go, and the burst is over when the last of their
 * events is in the hands of a collector in memory. Every event has to arrive, or there is no figure.
 */
export async function componentBurst(bench: Bench): Promise<Measured> {
  const rounds = sized(bench, { full: 9, quick: 5, smoke: 1 });
  const events = sized(bench, { full: 100_000, quick: 100_000, smoke: 1_000 });
  const rates: number[] = [];
  const calling: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const { callMs, collectedMs } = await burst(events);
    if (round === 0) continue;
    rates.push((events * 1_000) / collectedMs);
    calling.push((events * 1_000) / callMs);
  }
  const value = median(rates);
  return {
    value,
    unit: 'events/s',
    ok: value >= PER_SECOND_MIN,
    note: `${events} events of wrapped components in one go, until a collector in memory has the last one; medians of ${rounds}`,
    details: { emittedPerSecond: median(calling) },
  };
}

async function burst(events: number): Promise<{ readonly callMs: number; readonly collectedMs: number }> {
  const collected: ComponentEvent[] = [];
  const bus = { publish: (event: ComponentEvent) => void collected.push(event) };
  const config = { enabled: true, bufferSize: events };
  await using registry = await ComponentRegistry.withEventBus(bus, config, { environment: {} });
  const component = registry.createExecutionContext({ source: 'bench' }).wrapTool('add', add);
  const startedMs = performance.now();
  for (let call = 0; call < events / EVENTS_PER_CALL; call++) component(call);
  const callMs = performance.now() - startedMs;
  await registry.flush();
  const collectedMs = performance.now() - startedMs;
  if (collected.length !== events) throw new RangeError(`${collected.length} of ${events} events arrived.`);
  return { callMs, collectedMs };
}

function add(number: number): number {
  return number + 1;
}
