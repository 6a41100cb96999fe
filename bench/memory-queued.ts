import { join } from 'node:path';
import { ANONYMOUS, Engine } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { sampleAppendable, sampleEvent } from './sample-events.ts';

const POSITION_BYTES_MAX = 32;
const BODY_OVERHEAD_BYTES_MAX = 500;
const HANDLER_TIMEOUT_MS = 3_600_000;

/**
 * What the queues cost: the same events are owed to one subscription, then to many, none of which takes anything. The
 * difference is positions alone, since bodies are shared; what one subscription costs above its positions is the bodies.
 */
export async function memoryQueued(bench: Bench): Promise<Measured> {
  // Below the 8,192 bodies that the default limits keep, so that every body counted is there.
  const events = sized(bench, { full: 8_000, quick: 8_000, smoke: 200 });
  const many = sized(bench, { full: 200, quick: 100, smoke: 5 });
  await heldBytes(join(bench.folder, 'warm-up'), 2, events);
  const none = await heldBytes(join(bench.folder, 'none'), 0, events);
  const one = await heldBytes(join(bench.folder, 'one'), 1, events);
  const all = await heldBytes(join(bench.folder, 'all'), many + 1, events);
  const perPosition = (all - one) / (many * events);
  const perEvent = one / events - perPosition;
  const body = meanBodyBytes(events);
  return {
    value: perPosition,
    unit: 'bytes per position',
    ok: perPosition <= POSITION_BYTES_MAX && perEvent - body <= BODY_OVERHEAD_BYTES_MAX,
    note: 'heap, external and array buffers after a collection; a body includes what the journal keeps to find its event',
    details: {
      perBody: perEvent,
      bodyBytes: body,
      perBodyOverhead: perEvent - body,
      perBodyWithoutSubscription: none / events,
    },
  };
}

/** Growth of memory by publishing, with `subscriptions` whose handler never ends. */
async function heldBytes(directory: string, subscriptions: number, events: number): Promise<number> {
  const engine = await Engine.open({ adapter: journal({ directory }) });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await Promise.all(
    Array.from({ length: subscriptions }, (_, index) =>
      engine.subscriptions.subscribe(ANONYMOUS, {
        topic: '#',
        name: `held-${index}`,
        handler: () => released,
        options: { timeoutMs: HANDLER_TIMEOUT_MS },
      }),
    ),
  );
  const before = await usedBytes();
  for (let from = 0; from < events; from += 100) {
    const batch = Array.from({ length: Math.min(100, events - from) }, (_, offset) => sampleEvent(from + offset));
    await engine.publishBatch(ANONYMOUS, batch);
  }
  const used = (await usedBytes()) - before;
  release();
  await engine.close({ drainMs: 0 });
  return used;
}

/** Twice, with a turn between: finalizers of the first collection free what the second one finds. */
async function usedBytes(): Promise<number> {
  for (let pass = 0; pass < 2; pass++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  // `external` contains the array buffers.
  return heapUsed + external;
}

function meanBodyBytes(events: number): number {
  const sample = Math.min(events, 1_000);
  let bytes = 0;
  for (let index = 0; index < sample; index++) bytes += sampleAppendable(index, events, 0).body.length;
  return bytes / sample;
}
