import { type ComponentBus, type ComponentEvent, ComponentRegistry, ExecutionContext } from '@event-manager/components';
import { EventBus } from '@event-manager/core';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { median } from './statistics.ts';

const EVENTS_PER_SECOND = 1_000;
/** Started and completed. */
const EVENTS_PER_CALL = 2;
const TICK_MS = 10;
const CALLS_PER_TICK = (EVENTS_PER_SECOND / EVENTS_PER_CALL / 1_000) * TICK_MS;
const ROUNDS = 5;
const PERCENT_MAX = 1;
const BATCH = 50;
/** What a component does in a call, without waiting: so much that there is something to be slowed down. */
const WORK = 2_000;

/**
 * A component that is called 500 times a second, with events off and on in turns: what the processor does more is the price of 1,000
 * events a second, as a share of one core. On, they go to a listener by `emit` of a bus, which stores nothing; beside it, through its
 * engine in memory to a subscription. The component has run for a while before, as in a program that is not at its start.
 */
export async function componentOverhead(bench: Bench): Promise<Measured> {
  const roundMs = sized(bench, { full: 10_000, quick: 2_000, smoke: 100 });
  const warmUps = sized(bench, { full: 50_000, quick: 50_000, smoke: 100 });
  const bus = new EventBus();
  const heard = { emitted: 0, stored: 0 };
  bus.on('tool.*', () => void heard.emitted++);
  await bus.subscribe('tool.*', () => void heard.stored++);
  const emitting = { publish: (event: ComponentEvent) => bus.emit(event.type, event.payload) };
  const subjects = { off: await subject(undefined), emitted: await subject(emitting), stored: await subject(bus) };
  const shares = { off: [] as number[], emitted: [] as number[], stored: [] as number[] };
  for (const { component, registry } of Object.values(subjects)) {
    for (let n = 0; n < warmUps; n += BATCH) {
      for (let call = 0; call < BATCH; call++) component(call);
      await registry?.flush();
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const how of ['off', 'emitted', 'stored'] as const) {
      shares[how].push(await shareOfCore(roundMs, subjects[how].component));
      await subjects[how].registry?.flush();
    }
  }
  for (const how of ['emitted', 'stored'] as const) {
    const { registry } = subjects[how];
    const { published } = registry!.status().counts!;
    await registry!.close();
    if (published !== heard[how]) throw new RangeError(`${heard[how]} of ${published} events were heard: ${how}.`);
  }
  await bus.close();
  const more = (how: 'emitted' | 'stored') => (median(shares[how]) - median(shares.off)) * 100;
  return {
    value: more('emitted'),
    unit: '% of a core',
    ok: more('emitted') < PERCENT_MAX,
    note: `${EVENTS_PER_SECOND} events/s; more than the same component with events off; medians of ${ROUNDS} rounds of ${roundMs / 1_000} s`,
    details: {
      offPercent: median(shares.off) * 100,
      throughEngineInMemoryPercent: more('stored'),
    },
  };
}

async function subject(bus: ComponentBus | undefined) {
  if (bus === undefined) return { component: new ExecutionContext().wrapTool('work', work) };
  const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
  return { component: registry.createExecutionContext({ source: 'bench' }).wrapTool('work', work), registry };
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
