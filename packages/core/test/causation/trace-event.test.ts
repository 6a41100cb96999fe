import type { Appendable, EventGraph, EventStore } from '@event-manager/core';
import { memory, systemRuntime } from '@event-manager/core';
import { sampleEvent, sampleId } from '@event-manager/testing/conformance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceEvent } from '../../src/causation/trace-event.ts';

const BOUNDS = { depth: 10, eventsMax: 500 };
const clock = { wallMs: () => 0, monotonicMs: () => 0 };
const runtime = { clock, timers: systemRuntime.timers };

/** Events by number, each with the number of its cause. */
async function stored(causes: readonly (number | undefined)[], flows: Readonly<Record<number, string>> = {}) {
  const adapter = memory();
  await adapter.open();
  const events: Appendable[] = causes.map((cause, n) =>
    sampleEvent(n, {
      ...(cause === undefined ? {} : { causationId: sampleId(cause) }),
      ...(flows[n] === undefined ? {} : { correlationId: flows[n] }),
    }),
  );
  await adapter.store.append(events);
  return adapter.store;
}

const trace = (store: EventStore, n: number, bounds: Partial<typeof BOUNDS> = {}) =>
  traceEvent({ store, runtime, bounds: { ...BOUNDS, ...bounds } }, sampleId(n));

const NUMBERS = new Map(Array.from({ length: 1_000 }, (_, n) => [sampleId(n), n]));
const numbersOf = ({ events }: EventGraph) => events.map(({ id }) => NUMBERS.get(id));

describe('traceEvent', () => {
  it('follows causes and effects over several steps, and leaves out what has nothing to do with it', async () => {
    //   0 ─ 1 ─ 2 ─ 4
    //       └ 3
    const store = await stored([undefined, 0, 1, 1, 2, undefined]);
    const graph = await trace(store, 1);
    expect(graph).toMatchObject({ id: sampleId(1), missing: [], complete: true, cut: [] });
    expect(graph.events.map(({ id, relation, distance }) => [NUMBERS.get(id), relation, distance])).toEqual([
      [0, 'cause', 1],
      [1, 'asked', 0],
      [2, 'effect', 1],
      [3, 'effect', 1],
      [4, 'effect', 2],
    ]);
  });

  it('gathers the flow: by correlation id, and by its own id when the event began it', async () => {
    const flow = sampleId(0);
    const store = await stored([undefined, undefined, 1, undefined], { 1: flow, 2: flow, 3: 'other' });
    for (const asked of [0, 1]) expect(numbersOf(await trace(store, asked))).toEqual([0, 1, 2]);
    expect(numbersOf(await trace(store, 3))).toEqual([3]);
  });

  it('names causes that are not kept, with those that name them', async () => {
    const store = await stored([900, 0, undefined, 900], { 0: 'f', 2: 'f', 3: 'f' });
    const graph = await trace(store, 1);
    expect(graph.missing).toEqual([{ id: sampleId(900), namedBy: [sampleId(0)] }]);
    expect((await trace(store, 2)).missing).toEqual([{ id: sampleId(900), namedBy: [sampleId(0), sampleId(3)] }]);
    expect(graph.complete).toBe(true);
  });

  it('takes an effect whose publisher writes ids in capitals', async () => {
    const store = await stored([undefined]);
    await store.append([sampleEvent(1, { causationId: sampleId(0).toUpperCase() })]);
    expect(numbersOf(await trace(store, 0))).toEqual([0, 1]);
    expect(numbersOf(await trace(store, 1))).toEqual([0, 1]);
  });

  it('says where depth cut it, and only if there was more', async () => {
    const chain = [undefined, 0, 1, 2, 3, 4, 5];
    const store = await stored(chain);
    const graph = await trace(store, 3, { depth: 2 });
    expect(numbersOf(graph)).toEqual([1, 2, 3, 4, 5]);
    expect(graph).toMatchObject({
      complete: false,
      cut: [
        { direction: 'causes', reason: 'depth', at: [sampleId(1)] },
        { direction: 'effects', reason: 'depth', at: [sampleId(5)] },
      ],
    });
    expect(await trace(store, 3, { depth: 3 })).toMatchObject({ complete: true, cut: [] });
  });

  it('says where the number of events cut it, nearest first, and only if there was more', async () => {
    const store = await stored([undefined, ...Array.from({ length: 450 }, (_, n) => Math.floor(n / 2))]);
    const graph = await trace(store, 0, { depth: 100, eventsMax: 300 });
    expect(numbersOf(graph)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(graph).toMatchObject({ complete: false, cut: [{ direction: 'effects', reason: 'events' }] });
    expect(await trace(store, 0, { depth: 100, eventsMax: 451 })).toMatchObject({ complete: true });
  });

  it('ends when its time is over', async () => {
    const store = await stored([undefined, 0, 1]);
    let nowMs = 0;
    const slow = { wallMs: () => 0, monotonicMs: () => (nowMs += 1_500) };
    const graph = await traceEvent({ store, runtime: { ...runtime, clock: slow }, bounds: BOUNDS }, sampleId(0));
    expect(graph.complete).toBe(false);
    expect(graph.cut.every(({ reason }) => reason === 'time')).toBe(true);
  });

  it('refuses what is no id of a stored event', async () => {
    const store = await stored([undefined]);
    for (const id of [sampleId(7), 'no id']) {
      const tracing = traceEvent({ store, runtime, bounds: BOUNDS }, id);
      await expect(tracing).rejects.toMatchObject({ code: 'event_not_found' });
    }
  });

  it('finds exactly what can be reached, whatever the causes are: forests, cycles, events that caused themselves', async () => {
    const causes = fc.array(fc.option(fc.nat(11), { nil: undefined }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(causes, fc.nat(11), async (given, at) => {
        const asked = at % given.length;
        const graph = await trace(await stored(given), asked, { depth: 100 });
        expect(numbersOf(graph)).toEqual(reachable(given, asked));
        expect(graph.complete).toBe(true);
      }),
    );
  });
});

/** The plain definition: everything up the chain of causes, everything down from the asked one. */
function reachable(causes: readonly (number | undefined)[], asked: number): number[] {
  const found = new Set([asked]);
  for (let n = causes[asked]; n !== undefined && n < causes.length && !found.has(n); n = causes[n]) found.add(n);
  const down = [asked];
  for (const cause of down) {
    for (const [n, named] of causes.entries()) {
      if (named !== cause || down.includes(n)) continue;
      down.push(n);
      found.add(n);
    }
  }
  return [...found].sort((a, b) => a - b);
}
