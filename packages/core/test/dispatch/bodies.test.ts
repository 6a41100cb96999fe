import { type EventStore, memory } from '@event-manager/core';
import { sampleEvents } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { Bodies } from '../../src/dispatch/bodies.ts';

async function keptEvents(count: number) {
  const adapter = memory();
  await adapter.open();
  await adapter.store.append(sampleEvents(count));
  const { records } = await adapter.store.read(0, 0, { limit: count, bytesMax: 1e9 });
  return { store: adapter.store as EventStore, records, bodyBytes: records[0]!.body.length };
}

const ROOMY = { queueMaxSize: 64, queueBytesMax: 1e6 };

describe('the bodies in memory', () => {
  it('are one copy for all: keeping a record twice gives the same', async () => {
    const { store, records } = await keptEvents(1);
    const bodies = new Bodies(store, 0, ROOMY);
    expect(bodies.keep(records[0]!)).toBe(bodies.keep(records[0]!));
    expect([bodies.size, bodies.bytes]).toEqual([1, records[0]!.body.length]);
  });

  it('are never more than queue.maxSize, and the newest stay', async () => {
    const { store, records } = await keptEvents(40);
    const bodies = new Bodies(store, 0, { ...ROOMY, queueMaxSize: 10 });
    for (const record of records) bodies.keep(record);
    expect(bodies.size).toBeLessThanOrEqual(10);
    expect([bodies.get(40)?.id, bodies.get(1)]).toEqual([records[39]!.id, undefined]);
  });

  it('never take more bytes than allowed, and the newest stay', async () => {
    const { store, records, bodyBytes } = await keptEvents(40);
    const bodies = new Bodies(store, 0, { ...ROOMY, queueBytesMax: bodyBytes * 5 + 20 });
    for (const record of records) {
      bodies.keep(record);
      expect(bodies.bytes).toBeLessThanOrEqual(bodyBytes * 5 + 20);
    }
    expect([bodies.get(40)?.id, bodies.get(20)]).toEqual([records[39]!.id, undefined]);
  });

  it('go when the last queue is done with them, unless a stream reads along', async () => {
    const { store, records } = await keptEvents(2);
    let hasReaders = false;
    const bodies = new Bodies(store, 0, ROOMY, () => hasReaders);
    const [first, second] = records.map((record) => bodies.keep(record));
    for (const kept of [first!, second!]) kept.waitingQueues = 2;
    first!.done();
    expect(bodies.get(1)).toBe(first);
    first!.done();
    expect([bodies.get(1), bodies.size, bodies.bytes]).toEqual([undefined, 1, second!.body.length]);
    hasReaders = true;
    second!.done();
    second!.done();
    expect(bodies.get(2)).toBe(second);
  });

  it('are read again from the store when they are missing, and what cannot be read is named', async () => {
    const { store, records } = await keptEvents(4);
    await store.trim([{ partition: 0, position: 2 }]);
    const bodies = new Bodies(store, 0, ROOMY);
    expect(await bodies.load([1, 2, 3, 4])).toEqual([2, 1]);
    expect([bodies.get(3)?.id, bodies.get(4)?.id]).toEqual([records[2]!.id, records[3]!.id]);
  });

  it('keep the first of those asked for when not all fit, because it is claimed first', async () => {
    const { store, records } = await keptEvents(9);
    const bodies = new Bodies(store, 0, { ...ROOMY, queueMaxSize: 4 });
    await bodies.load([1, 5, 9]);
    expect(bodies.get(1)?.id).toBe(records[0]!.id);
  });

  it('tell a waiting publisher when they leave: nobody could tell later', async () => {
    const { store, records } = await keptEvents(2);
    const bodies = new Bodies(store, 0, { ...ROOMY, queueMaxSize: 1 });
    const kept = bodies.keep(records[0]!);
    let told = 0;
    kept.firstAttempts = 2;
    kept.publisher = { resolve: () => told++, at: 0 };
    bodies.keep(records[1]!);
    expect(told).toBe(1);
    kept.firstAttemptEnded();
    expect(told).toBe(1);
  });
});
