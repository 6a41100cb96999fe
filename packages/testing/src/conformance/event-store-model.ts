import { Buffer } from 'node:buffer';
import type { Appendable, Appended, EventStore, Lane, Place, Recorded } from '@event-manager/core';
import { expect, it } from 'vitest';
import { SeededChance } from '../seeded-chance.ts';
import { readLog } from './read-log.ts';
import { sampleEvent } from './sample-event.ts';
import type { ConformanceHarness, StartSubject, Subject } from './subject.ts';

const OPERATIONS = 2000;
const SOURCES = ['shop', 'crm', 'mail'];

/** What the log must hold, as a list and nothing else. */
interface Model {
  readonly kept: { readonly event: Appendable; readonly place: Place }[];
  /** Ids that were trimmed: whether they are still remembered is up to the adapter, so they are not used again. */
  nextSample: number;
  head: number;
}

/** Everything at once, against the simplest thing that could be right. */
export function modelConformance(harness: ConformanceHarness, start: StartSubject): void {
  it.each([1, 2, 3])(`agrees with a list over ${OPERATIONS} interleaved operations, seed %i`, async (seed) => {
    const subject = await start();
    const chance = new SeededChance(seed);
    const model: Model = { kept: [], nextSample: 0, head: 0 };
    for (let n = 0; n < OPERATIONS; ) n += await operate(subject, harness, chance, model);

    const { records } = await readLog(subject.store, 0);
    expect(records.map(({ id }) => id)).toEqual(model.kept.map(({ event }) => event.id));
    for (const [i, record] of records.entries()) {
      expect(Buffer.compare(record.body, model.kept[i]!.event.body)).toBe(0);
    }
  });
}

/** One step; gives how many operations it was. */
async function operate(
  subject: Subject,
  { supports }: ConformanceHarness,
  chance: SeededChance,
  model: Model,
): Promise<number> {
  const { store } = subject;
  const dice = chance.integer(100);
  if (dice < 40) return appendSome(store, chance, model);
  if (dice < 60) return readSome(store, chance, model);
  if (dice < 75) return getSome(store, chance, model);
  if (dice < 90) return supports.query === 'none' ? 0 : findSome(store, chance, model);
  if (dice < 94) return supports.trim ? trimSome(store, chance, model) : 0;
  if (dice < 98) subject.opened.jumpWall((chance.fraction() - 0.5) * 10_000);
  else await subject.throughReopen();
  return 1;
}

/** Several calls at once, of new, repeated and changed events. */
async function appendSome(store: EventStore, chance: SeededChance, model: Model): Promise<number> {
  const calls = Array.from({ length: 1 + chance.integer(3) }, () =>
    Array.from({ length: 1 + chance.integer(5) }, () => someEvent(chance, model)),
  );
  const results = await Promise.all(calls.map((events) => store.append(events)));
  for (const [i, events] of calls.entries()) {
    for (const [j, event] of events.entries()) note(model, event, results[i]![j]!);
  }
  return calls.length;
}

function someEvent(chance: SeededChance, model: Model): Appendable {
  if (model.kept.length > 0 && chance.happens(0.2)) {
    const { event } = chance.pick(model.kept);
    if (chance.happens(0.5)) return event;
    const changed = { ...(JSON.parse(event.body.toString()) as object), source: 'changed' };
    return { ...event, body: Buffer.from(JSON.stringify(changed)) };
  }
  return sampleEvent(model.nextSample++, {
    lane: chance.integer(4) as Lane,
    source: chance.pick(SOURCES),
    payload: 'x'.repeat(chance.integer(300)),
  });
}

function note(model: Model, event: Appendable, result: Appended): void {
  const known = model.kept.find((entry) => entry.event.id === event.id);
  if (known === undefined) {
    if (result.status !== 'stored') throw new TypeError(`A new event was answered ${result.status}.`);
    expect(result.previous).toBe(model.head);
    expect(result.place.position).toBeGreaterThan(model.head);
    model.head = result.place.position;
    model.kept.push({ event, place: result.place });
    return;
  }
  const status = Buffer.compare(known.event.body, event.body) === 0 ? 'duplicate' : 'conflict';
  expect(result).toEqual({ status, place: known.place });
}

async function readSome(store: EventStore, chance: SeededChance, model: Model): Promise<number> {
  const after = chance.integer(model.head + 1);
  const limit = 1 + chance.integer(20);
  const lanes = chance.happens(0.5) ? [chance.integer(4) as Lane, chance.integer(4) as Lane] : undefined;
  const page = await store.read(0, after, { limit, bytesMax: 1e6, ...(lanes === undefined ? {} : { lanes }) });
  const expected = model.kept.filter(
    ({ event, place }) =>
      place.position > after && place.position <= page.scannedTo && (lanes?.includes(event.lane) ?? true),
  );
  expectRecords(page.records, expected);
  expect(page.records.length).toBeLessThanOrEqual(limit);
  if (page.scannedTo === after) expect(after).toBe(model.head);
  return 1;
}

async function getSome(store: EventStore, chance: SeededChance, model: Model): Promise<number> {
  if (model.kept.length === 0) return 1;
  const wanted = Array.from({ length: 5 }, () => chance.pick(model.kept));
  const refs = wanted.map(({ event, place }) => (chance.happens(0.5) ? event.id : place));
  const found = await store.get(refs);
  expectRecords(found as readonly Recorded[], wanted);
  return 1;
}

async function findSome(store: EventStore, chance: SeededChance, model: Model): Promise<number> {
  const sources = [chance.pick(SOURCES)];
  const direction = chance.pick(['forward', 'backward'] as const);
  const limit = 1 + chance.integer(30);
  const { records } = await store.find({ sources }, { limit, direction, budgetMs: 60_000 });
  const matching = model.kept.filter(({ event }) => sources.includes(event.source));
  expectRecords(records, (direction === 'forward' ? matching : matching.toReversed()).slice(0, limit));
  return 1;
}

async function trimSome(store: EventStore, chance: SeededChance, model: Model): Promise<number> {
  const place = model.kept[chance.integer(Math.ceil(model.kept.length / 4))]?.place;
  if (place === undefined) return 1;
  await store.trim([place]);
  model.kept.splice(0, model.kept.findIndex((entry) => entry.place.position > place.position) >>> 0);
  return 1;
}

function expectRecords(records: readonly Recorded[], expected: Model['kept']): void {
  expect(records.map(({ id, place }) => [id, place.position])).toEqual(
    expected.map(({ event, place }) => [event.id, place.position]),
  );
}
