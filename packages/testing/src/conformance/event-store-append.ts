import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLog } from './read-log.ts';
import { allStored, sampleEvent, sampleEvents, sampleId } from './sample-event.ts';
import type { ConformanceHarness, StartSubject } from './subject.ts';

/** What `append` answers and what is in the log afterwards. */
export function appendConformance(harness: ConformanceHarness, start: StartSubject): void {
  describe('append', () => {
    orderOfAppending(start);
    contentOfAppended(start);
  });
  describe.skipIf(harness.supports.dedup === 'none')('append of an id that is there', () => appendedTwice(start));

  it.runIf(harness.supports.dedup === 'none')(
    'does not claim to know ids: what comes again is stored again',
    async () => {
      const { store } = await start();
      const results = await store.append([sampleEvent(1), sampleEvent(1)]);
      expect(results.map(({ status }) => status)).toEqual(['stored', 'stored']);
    },
  );
}

function orderOfAppending(start: StartSubject): void {
  it('gives ascending positions in the order of the call, each naming the one before', async () => {
    const subject = await start();
    const results = [...allStored(await subject.store.append(sampleEvents(3)))];
    results.push(...allStored(await subject.store.append(sampleEvents(2, 3))));
    await subject.throughReopen();
    results.push(...allStored(await subject.store.append(sampleEvents(2, 5))));
    let previous = 0;
    for (const result of results) {
      expect(result.previous).toBe(previous);
      expect(result.place.position).toBeGreaterThan(previous);
      previous = result.place.position;
    }
  });

  it('keeps concurrent calls in the order of calling', async () => {
    const { store } = await start();
    const calls = Array.from({ length: 50 }, (_, i) => store.append(sampleEvents(4, 4 * i)));
    const places = (await Promise.all(calls)).flat().map(({ place }) => place);
    expect(places.map(({ position }) => position)).toEqual(places.map((p) => p.position).toSorted((a, b) => a - b));
    const { records } = await readLog(store, places[0]!.partition);
    expect(records.map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, n) => sampleId(n)));
  });
}

function contentOfAppended(start: StartSubject): void {
  it('gives back every field as it was given', async () => {
    const subject = await start();
    const event = sampleEvent(1, { topic: 'Überall/日本/x-1', lane: 0, flags: 255, type: 'a.b', source: 'ü' });
    const [result] = allStored(await subject.store.append([event]));
    await subject.throughReopen();
    const [record] = await subject.store.get([event.id]);
    expect(record).toEqual({
      id: event.id,
      place: result!.place,
      recordedAtMs: result!.recordedAtMs,
      topic: event.topic,
      lane: 0,
      flags: 255,
      body: record!.body,
    });
    expect(Buffer.compare(record!.body, event.body)).toBe(0);
  });

  it('keeps every body byte for byte', async () => {
    const subject = await start();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 8 }), async (payloads) => {
        const events = payloads.map((payload) => sampleEvent(n++, { payload: payload as never }));
        await subject.store.append(events);
        const records = await subject.store.get(events.map(({ id }) => id));
        for (const [i, record] of records.entries()) {
          expect(Buffer.compare(record!.body, events[i]!.body)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('keeps events of the largest size, more than fit into one write', async () => {
    const subject = await start();
    const events = [0, 1, 2, 3, 4].map((n) => sampleEvent(n, { payload: String(n).repeat(255 * 1024) }));
    await subject.store.append(events);
    await subject.throughReopen();
    const records = await subject.store.get(events.map(({ id }) => id));
    for (const [i, record] of records.entries()) expect(Buffer.compare(record!.body, events[i]!.body)).toBe(0);
  });

  it('answers an empty call with an empty list', async () => {
    const { store } = await start();
    expect(await store.append([])).toEqual([]);
  });

  it('never lets the time of recording go back when the wall clock does', async () => {
    const subject = await start();
    const times = allStored(await subject.store.append([sampleEvent(0)])).map((result) => result.recordedAtMs);
    subject.opened.jumpWall(-3_600_000);
    times.push(...allStored(await subject.store.append([sampleEvent(1)])).map((result) => result.recordedAtMs));
    await subject.throughReopen();
    times.push(...allStored(await subject.store.append([sampleEvent(2)])).map((result) => result.recordedAtMs));
    subject.opened.jumpWall(7_200_000);
    times.push(...allStored(await subject.store.append([sampleEvent(3)])).map((result) => result.recordedAtMs));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[3]! - times[0]!).toBeGreaterThanOrEqual(3_600_000);
  });
}

function appendedTwice(start: StartSubject): void {
  it('is a duplicate with the same content, a conflict with other content; neither is stored', async () => {
    const subject = await start();
    const [original] = allStored(await subject.store.append([sampleEvent(1, { payload: 'a' })]));
    await subject.throughReopen();
    const results = await subject.store.append([
      sampleEvent(1, { payload: 'a' }),
      sampleEvent(1, { payload: 'b' }),
      sampleEvent(2),
    ]);
    const { place } = original!;
    expect(results.slice(0, 2)).toEqual([
      { status: 'duplicate', place },
      { status: 'conflict', place },
    ]);
    expect(allStored(results.slice(2))[0]!.previous).toBe(place.position);
    const { records } = await readLog(subject.store, place.partition);
    expect(records.map(({ id }) => id)).toEqual([sampleId(1), sampleId(2)]);
    expect(Buffer.compare(records[0]!.body, sampleEvent(1, { payload: 'a' }).body)).toBe(0);
  });

  it('sees them inside one call', async () => {
    const { store } = await start();
    const event = sampleEvent(1);
    const results = await store.append([event, event, sampleEvent(1, { payload: 'other' }), sampleEvent(2)]);
    expect(results.map(({ status }) => status)).toEqual(['stored', 'duplicate', 'conflict', 'stored']);
    expect(new Set(results.slice(0, 3).map(({ place }) => place.position)).size).toBe(1);
  });

  it('sees them in concurrent calls: one is stored', async () => {
    const { store } = await start();
    const calls = Array.from({ length: 10 }, () => store.append([sampleEvent(1), sampleEvent(2)]));
    const results = (await Promise.all(calls)).flat();
    expect(results.filter(({ status }) => status === 'stored')).toHaveLength(2);
    expect(results.filter(({ status }) => status === 'duplicate')).toHaveLength(18);
    expect((await readLog(store, results[0]!.place.partition)).records).toHaveLength(2);
  });

  it('compares content, not bytes, and keeps the bytes that came first', async () => {
    const subject = await start();
    const event = sampleEvent(1, { payload: { a: 1, b: [true, null] } });
    await subject.store.append([event]);
    await subject.throughReopen();
    const reordered = Object.fromEntries(
      Object.entries(JSON.parse(new TextDecoder().decode(event.body)) as object).toReversed(),
    );
    const [result] = await subject.store.append([{ ...event, body: Buffer.from(JSON.stringify(reordered, null, 1)) }]);
    expect(result!.status).toBe('duplicate');
    const [record] = await subject.store.get([event.id]);
    expect(Buffer.compare(record!.body, event.body)).toBe(0);
  });
}
