import type { Benchmark } from './benchmark.ts';

export interface CatalogEntry {
  /** What is aimed for, in words. */
  readonly target: string;
  /** Part of the one-minute run. */
  readonly quick: boolean;
  readonly load: () => Promise<Benchmark>;
}

/** Every benchmark by name, in the order they are run: those that share a large journal stand together. */
export const CATALOG: ReadonlyMap<string, CatalogEntry> = new Map<string, CatalogEntry>([
  ['append.durable', entry('ratio ≥ 0.6', true, async () => (await import('./append-durable.ts')).appendDurable)],
  ['http.single', entry('ratio ≥ 0.7', true, async () => (await import('./http-single.ts')).httpSingle)],
  ['http.batch', entry('ratio ≥ 0.5', true, async () => (await import('./http-batch.ts')).httpBatch)],
  ['ws.publish', entry('ratio ≥ 1.5', true, async () => (await import('./ws-publish.ts')).wsPublish)],
  ['latency.10k', entry('p50 ≤ 2 ms, p99 ≤ 10 ms', true, async () => (await import('./latency-10k.ts')).latency10k)],
  [
    'fanout.1000',
    entry('≥ 100,000 deliveries/s, ratio ≥ 0.8', false, async () => (await import('./fanout-1000.ts')).fanout1000),
  ],
  ['overload', entry('ratio ≥ 0.95 at 3 × overload', false, async () => (await import('./overload.ts')).overload)],
  ['subscribe', entry('p99 ≤ 5 ms', false, async () => (await import('./subscribe.ts')).subscribe)],
  ['emit.sync', entry('ratio ≥ 1', true, async () => (await import('./emit-sync.ts')).emitSync)],
  ['emit.awaited', entry('ratio ≥ 2', true, async () => (await import('./emit-awaited.ts')).emitAwaited)],
  [
    'emit.persisted',
    entry('≥ 90,000/s in bursts, p99 < 1 ms to accept', false, async () => {
      return (await import('./emit-persisted.ts')).emitPersisted;
    }),
  ],
  [
    'emit.disabled',
    entry('no module of the event system', true, async () => (await import('./emit-disabled.ts')).emitDisabled),
  ],
  ['types.suite', entry('≤ 10,000 ms', false, async () => (await import('./types-suite.ts')).typesSuite)],
  [
    'publish.memory',
    entry('≥ 200,000/s, p99 < 1 ms', false, async () => (await import('./publish-memory.ts')).publishMemory),
  ],
  [
    'component.overhead',
    entry('< 1 % of a core', false, async () => (await import('./component-overhead.ts')).componentOverhead),
  ],
  ['component.burst', entry('≥ 90,000/s', true, async () => (await import('./component-burst.ts')).componentBurst)],
  ['component.emit', entry('p99 < 1 ms', true, async () => (await import('./component-emit.ts')).componentEmit)],
  [
    'memory.queued',
    entry('≤ 32 B per position, ≤ 500 B over the body', false, async () => {
      return (await import('./memory-queued.ts')).memoryQueued;
    }),
  ],
  [
    'sustained.10k',
    entry('rate held for 30 min, p99 ≤ 100 ms, memory flat', false, async () => {
      return (await import('./sustained-10k.ts')).sustained10k;
    }),
  ],
  [
    'beside.slow-readers',
    entry('p99 ≤ 1.1 × alone', false, async () => (await import('./beside-slow-readers.ts')).besideSlowReaders),
  ],
  [
    'beside.slow-requests',
    entry('p99 ≤ 1.5 × alone', false, async () => (await import('./beside-slow-requests.ts')).besideSlowRequests),
  ],
  ['pg.publish', entry('ratio ≥ 0.7', false, async () => (await import('./pg-publish.ts')).pgPublish)],
  ['pg.deliver', entry('ratio ≥ 3', false, async () => (await import('./pg-deliver.ts')).pgDeliver)],
  ['pg.instances', entry('ratio ≥ 1.5', false, async () => (await import('./pg-instances.ts')).pgInstances)],
  ['redis.publish', entry('ratio ≥ 0.7', false, async () => (await import('./redis-publish.ts')).redisPublish)],
  [
    'members.elsewhere',
    entry('beside a member at the owner', false, async () => {
      return (await import('./members-elsewhere.ts')).membersElsewhere;
    }),
  ],
  ['query', entry('each p99 ≤ 50 ms', false, async () => (await import('./query.ts')).query)],
  ['pg.query', entry('each p99 ≤ 50 ms', false, async () => (await import('./pg-query.ts')).pgQuery)],
  ['start', entry('≤ 2,000 ms', false, async () => (await import('./start.ts')).start)],
  ['memory.journal', entry('≤ 300 MiB', false, async () => (await import('./memory-journal.ts')).memoryJournal)],
  ['append.growth', entry('ratio ≥ 0.9', false, async () => (await import('./append-growth.ts')).appendGrowth)],
]);

function entry(target: string, quick: boolean, load: () => Promise<Benchmark>): CatalogEntry {
  return { target, quick, load };
}
