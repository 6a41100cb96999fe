/**
 * Finds events by the indexes where they help: those of one topic, or of one type. Everything else is looked at in the order of
 * positions, from the first one that can match; a read that looked at many without finding enough says where to go on.
 */
import type { KeptRecord, StorePage, StoreRead } from '@event-manager/core';
import { compileRead, isExact, parsePattern } from '@event-manager/core';
import { decodeRecord, eventKey, indexKey, positionIn, recordedAtOf } from './layout.ts';
import type { Database } from './open-database.ts';

/** Entries that one read looks at. */
const LOOK_MAX = 5_000;
const STEP = 500;
const UNLIMITED = { topicCharactersMax: Number.POSITIVE_INFINITY, topicLevelsMax: Number.POSITIVE_INFINITY };

export async function findRecords(database: Database, request: StoreRead, head: number): Promise<StorePage> {
  const { after = 0, fromMs, limit } = request;
  const matches = compileRead(request);
  const start = Math.max(after, fromMs === undefined ? 0 : await lastBefore(database, fromMs, head));
  const records: KeptRecord[] = [];
  let at = start;
  let looked = 0;
  for await (const { position, bytes } of entriesOf(database, request, start, head)) {
    if (records.length === limit || looked === LOOK_MAX) return { records, next: at, first: 1, head };
    at = position;
    looked++;
    const record = decodeRecord(bytes);
    const { id, recordedAtMs, body } = record;
    if (request.toMs !== undefined && recordedAtMs >= request.toMs) break;
    if (matches(record)) records.push({ position, recordedAtMs, id, body });
  }
  return { records, first: 1, head };
}

interface Entry {
  readonly position: number;
  readonly bytes: Buffer;
}

function entriesOf(database: Database, request: StoreRead, after: number, head: number): AsyncGenerator<Entry> {
  const index = indexOf(request);
  return index ? byIndex(database, index, after, head) : inOrder(database, after, head);
}

type Index = readonly [index: 't' | 'y', text: string];

/** The index that names just the events that are asked for. */
function indexOf({ topic, types }: StoreRead): Index | undefined {
  const pattern = topic === undefined ? undefined : parsePattern(topic, UNLIMITED);
  if (pattern && isExact(pattern)) return ['t', pattern.canonical];
  const [type, ...more] = types ?? [];
  // A type in another spelling than the stored one would be missed by its index.
  if (type === undefined || more.length > 0 || /[./]/.test(type) || !isExact(parsePattern(type, UNLIMITED)))
    return undefined;
  return ['y', type];
}

async function* inOrder(database: Database, after: number, head: number): AsyncGenerator<Entry> {
  const iterator = database.iterator({ gt: eventKey(after), lte: eventKey(head) });
  try {
    for (;;) {
      const entries = await iterator.nextv(STEP);
      if (entries.length === 0) return;
      for (const [key, bytes] of entries) yield { position: positionIn(key), bytes };
    }
  } finally {
    await iterator.close();
  }
}

async function* byIndex(database: Database, index: Index, after: number, head: number): AsyncGenerator<Entry> {
  const iterator = database.keys({ gt: indexKey(...index, after), lte: indexKey(...index, head) });
  try {
    for (;;) {
      const positions = (await iterator.nextv(STEP)).map(positionIn);
      if (positions.length === 0) return;
      const found = await database.getMany(positions.map(eventKey));
      for (const [at, position] of positions.entries()) yield { position, bytes: found[at]! };
    }
  } finally {
    await iterator.close();
  }
}

/** The last position that was kept before a moment. */
async function lastBefore(database: Database, ms: number, head: number): Promise<number> {
  let low = 0;
  let high = head;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (recordedAtOf((await database.get(eventKey(middle)))!) < ms) low = middle;
    else high = middle - 1;
  }
  return low;
}
