import { Buffer } from 'node:buffer';
import type { Appended, MemoryAdapter } from '@event-manager/core';
import { type Mutants, replace } from './replace.ts';

type Stored = Extract<Appended, { status: 'stored' }>;

function changeStored(adapter: MemoryAdapter, change: (result: Stored) => Appended): void {
  replace(adapter.store, 'append', (append) => async (events) => {
    const results = await append(events);
    return results.map((result) => (result.status === 'stored' ? change(result) : result));
  });
}

/** Event stores that are wrong in one way each. */
export const EVENT_STORE_MUTANTS: Mutants = {
  'loses the last event of a batch': ({ store }) =>
    replace(store, 'append', (append) => async (events) => {
      const results = await append(events.length > 3 ? events.slice(0, -1) : events);
      return events.length > 3 ? [...results, results.at(-1)!] : results;
    }),
  'stores late, after the call': ({ store }) =>
    replace(store, 'append', (append) => async (events) => {
      for (let turn = 0; turn < 3; turn++) await undefined;
      return append(events);
    }),
  'calls a conflict a duplicate': ({ store }) =>
    replace(
      store,
      'append',
      (append) => async (events) =>
        (await append(events)).map((result) =>
          result.status === 'conflict' ? { status: 'duplicate', place: result.place } : result,
        ),
    ),
  'does not know the previous position': (adapter) => changeStored(adapter, (result) => ({ ...result, previous: 0 })),
  'records by the wall clock as it is': (adapter, time) =>
    changeStored(adapter, (result) => ({ ...result, recordedAtMs: time.wallMs() })),
  'forgets everything at a restart': (adapter) =>
    replace(adapter, 'open', (open) => async () => {
      await open();
      await adapter.store.trim([{ partition: 0, position: Number.MAX_SAFE_INTEGER }]);
    }),
  'gives all lanes': ({ store }) =>
    replace(
      store,
      'read',
      (read) =>
        (partition, after, { lanes: _, ...options }) =>
          read(partition, after, options),
    ),
  'reads beyond `until`': ({ store }) =>
    replace(
      store,
      'read',
      (read) =>
        (partition, after, { until: _, ...options }) =>
          read(partition, after, options),
    ),
  'reads one more than the limit': ({ store }) =>
    replace(
      store,
      'read',
      (read) => (partition, after, options) => read(partition, after, { ...options, limit: options.limit + 1 }),
    ),
  'does not count bytes': ({ store }) =>
    replace(
      store,
      'read',
      (read) => (partition, after, options) => read(partition, after, { ...options, bytesMax: 1e9 }),
    ),
  'says that it looked at everything': ({ store }) =>
    replace(store, 'read', (read) => async (partition, after, options) => ({
      ...(await read(partition, after, options)),
      scannedTo: (await store.bounds())[0]!.head,
    })),
  'says that it looked only as far as the last match': ({ store }) =>
    replace(store, 'read', (read) => async (partition, after, options) => {
      const page = await read(partition, after, options);
      return { ...page, scannedTo: page.records.at(-1)?.place.position ?? after };
    }),
  'does not tell what is lost': ({ store }) =>
    replace(store, 'read', (read) => async (partition, after, options) => {
      const { lost: _, ...page } = await read(partition, after, options);
      return page;
    }),
  'gives records in an order of its own': ({ store }) =>
    replace(store, 'get', (get) => async (refs) => (await get(refs)).toReversed()),
  'leaves unknown references out': ({ store }) =>
    replace(store, 'get', (get) => async (refs) => (await get(refs)).filter((record) => record !== undefined)),
  'drops the flags': ({ store }) =>
    replace(
      store,
      'get',
      (get) => async (refs) =>
        (await get(refs)).map((record) => (record === undefined ? undefined : { ...record, flags: 0 })),
    ),
  'encodes bodies anew': ({ store }) =>
    replace(
      store,
      'get',
      (get) => async (refs) =>
        (await get(refs)).map((record) => {
          if (record === undefined) return undefined;
          const value: unknown = JSON.parse(new TextDecoder().decode(record.body));
          return { ...record, body: Buffer.from(JSON.stringify(value, null, 1)) };
        }),
    ),
  'finds in one direction only': ({ store }) =>
    replace(store, 'find', (find) => (query, options) => find(query, { ...options, direction: 'forward' })),
  'does not look at the user': ({ store }) =>
    replace(
      store,
      'find',
      (find) =>
        ({ userId: _, ...query }, options) =>
          find(query, options),
    ),
  'takes the end of a time as inside': ({ store }) =>
    replace(
      store,
      'find',
      (find) => (query, options) =>
        find(query.toMs === undefined ? query : { ...query, toMs: query.toMs + 1 }, options),
    ),
  'finds the first page only': ({ store }) =>
    replace(store, 'find', (find) => async (query, options) => {
      const { next: _, ...page } = await find(query, options);
      return page;
    }),
  'trims one too few': ({ store }) =>
    replace(store, 'trim', (trim) => (upTo) => trim(upTo.map((p) => ({ ...p, position: p.position - 1 })))),
  'trims one too many': ({ store }) =>
    replace(store, 'trim', (trim) => (upTo) => trim(upTo.map((p) => ({ ...p, position: p.position + 1 })))),
  'does not know its head': ({ store }) =>
    replace(
      store,
      'bounds',
      (bounds) => async () => (await bounds()).map((entry) => ({ ...entry, head: Math.max(0, entry.head - 1) })),
    ),
};
