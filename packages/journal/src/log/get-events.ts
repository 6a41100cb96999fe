import type { Place, Recorded } from '@event-manager/core';
import { parseEventIdWords } from '../format/event-id-words.ts';
import type { KnownIds, KnownRecord } from './known-ids.ts';
import { type LogCore, segmentAfter } from './log-core.ts';
import { damagedRecord, readRecord, toRecorded } from './read-record.ts';

const AT_ONCE = 64;

/** `EventStore.get`: by id through the indexes in memory and the directory, by place through the segment. */
export async function getEvents(
  core: LogCore,
  known: KnownIds,
  refs: readonly (string | Place)[],
): Promise<readonly (Recorded | undefined)[]> {
  const found: (Recorded | undefined)[] = [];
  for (let from = 0; from < refs.length; from += AT_ONCE) {
    const some = refs.slice(from, from + AT_ONCE);
    found.push(...(await Promise.all(some.map((ref) => getEvent(core, known, ref)))));
  }
  return found;
}

async function getEvent(core: LogCore, known: KnownIds, ref: string | Place): Promise<Recorded | undefined> {
  const place = typeof ref === 'string' ? await findById(core, known, ref) : await findByPlace(core, ref);
  return place === undefined ? undefined : readKnown(core, place);
}

async function findById(core: LogCore, known: KnownIds, id: string): Promise<KnownRecord | undefined> {
  const ids = new Uint32Array(4);
  parseEventIdWords(id, ids, 0);
  const hash = known.hash(ids, 0);
  const recent = known.findInMemory(ids, 0, hash);
  // A record of a batch that is not durable yet does not exist for readers.
  if (recent !== undefined) return recent.position <= core.head ? recent : undefined;
  const candidates = known.sealedCandidates(hash);
  return candidates === undefined ? undefined : known.findSealed(ids, 0, hash, candidates);
}

async function findByPlace(core: LogCore, { partition, position }: Place): Promise<KnownRecord | undefined> {
  if (partition !== 0 || position <= core.trimmedThrough || position > core.head) return undefined;
  const segment = core.segments[segmentAfter(core.segments, position - 1)];
  if (segment === undefined || segment.first > position) return undefined;
  const ordinal = await segment.index.ordinalAt(position);
  if (ordinal >= segment.index.count || (await segment.index.positionOf(ordinal)) !== position) return undefined;
  return { segment, ordinal, position };
}

/** Reads a record that the index promises. One that does not verify is put down as damage and is not there. */
export async function readKnown(
  core: LogCore,
  { segment, ordinal, position }: KnownRecord,
): Promise<Recorded | undefined> {
  const offset = await segment.index.offsetOf(ordinal);
  const raw = await readRecord(core.files, segment, offset, position);
  if (raw !== undefined) return toRecorded(raw.bytes, 0, raw.header);
  damagedRecord(core, segment, offset, position);
  return undefined;
}
