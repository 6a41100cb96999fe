import type { Bounds, Recorded } from '../contracts/event-store.ts';
import type { MovableAdapter, Restoration, Restored, UnusedPositions } from '../contracts/movable-adapter.ts';
import { STATE_KINDS, type StateChange, type StateEntry, type StateKind } from '../contracts/state-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { decodeStoredEvent } from '../event/decode-event.ts';
import { type Runtime, systemRuntime } from '../runtime/runtime.ts';
import { StoreDigest } from './store-digest.ts';
import { stretches } from './stretches.ts';

/*
 * Moving a store: leave → copy → verify → mark the source as moved → complete the target.
 *
 * Until the mark nothing has happened: the source is only read and nobody else changes it, the target is incomplete and can be
 * filled anew. The mark comes before the target is complete, so there is never a moment in which two stores would go on from
 * the same events. A process that dies between the two leaves neither in use: `stay` on the source takes the mark back, and the
 * move is begun again.
 *
 * Memory holds one page of events or of records at a time, whatever the store holds.
 */

export type MoveStage = 'copying events' | 'copying records' | 'verifying events' | 'verifying records';

export interface MoveProgress {
  readonly stage: MoveStage;
  readonly done: number;
  /** Absent where nobody knows before. */
  readonly total?: number | undefined;
}

export interface MoveOptions {
  readonly source: MovableAdapter;
  readonly target: MovableAdapter;
  readonly runtime?: Pick<Runtime, 'clock'>;
  readonly onProgress?: (progress: MoveProgress) => void;
  /** Ends the move with `aborted`, unless everything was verified already. */
  readonly signal?: AbortSignal;
}

/** What was moved: counted in the source, and the same in what was read back from the target. */
export interface MoveReport {
  readonly first: number;
  readonly head: number;
  readonly events: number;
  /** Of the bodies of the events. */
  readonly bytes: number;
  /** Of the state: subscriptions, progress, dead letters and the others. */
  readonly records: number;
  /** SHA-256 over all of it, in hexadecimal. */
  readonly checksum: string;
  readonly copiedMs: number;
  readonly verifiedMs: number;
}

const EVENTS_AT_ONCE = 4_096;
const BYTES_AT_ONCE = 4 << 20;
/** Dead letters and scheduled events hold whole events. */
const RECORDS_AT_ONCE = 100;
const BYTES_READ = { limit: EVENTS_AT_ONCE, bytesMax: BYTES_AT_ONCE };

/**
 * Moves everything that one adapter keeps to another: subscriptions go on where they stood, and cursors keep their meaning.
 * Neither adapter is open before or afterwards. Throws `store_not_found`, `store_not_empty`, `store_locked`, `store_moved`,
 * `store_read_only` for a damaged source, `corrupt_record` when what is read back is not what was written, and what the two
 * stores throw; then the source is as it was.
 */
export async function moveStore(options: MoveOptions): Promise<MoveReport> {
  const { source, target } = options;
  const departure = await source.openToLeave();
  try {
    const [bounds] = await wholeBounds(source);
    const restoration = await target.openToRestore({ first: bounds.first, head: bounds.head });
    try {
      const report = await copyAndVerify(options, bounds, restoration);
      await departure.complete();
      await restoration.complete();
      return report;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function wholeBounds(source: MovableAdapter): Promise<[Bounds]> {
  const { status } = source.health();
  if (status === 'read-only' || status === 'failed') {
    throw new EventManagerError('store_read_only', 'The source is damaged: repair it before it moves.');
  }
  const [bounds, ...more] = await source.store.bounds();
  if (bounds === undefined || more.length > 0) {
    throw new EventManagerError('not_supported', 'Only a log of one partition can move.');
  }
  return [bounds];
}

async function copyAndVerify(options: MoveOptions, bounds: Bounds, restoration: Restoration): Promise<MoveReport> {
  const { source, target, runtime = systemRuntime } = options;
  const { clock } = runtime;
  const startedMs = clock.monotonicMs();
  const copied = await walk(source, bounds, options, 'copying', {
    events: (events) => restoration.write(events.map(toRestored)),
    unused: (unused) => restoration.skip(unused),
    records: (kind, entries) => target.state.commit(entries.map((entry) => toChange(kind, entry))),
  });
  const copiedMs = clock.monotonicMs() - startedMs;
  if (source.health().status === 'read-only') {
    throw new EventManagerError('store_read_only', 'The source is damaged: repair it before it moves.');
  }
  const verified = await walk(target, bounds, options, 'verifying', { events: (events) => findById(target, events) });
  const checksum = copied.text();
  if (verified.text() !== checksum) throw differs(`${verified.events} events and ${verified.records} records`);
  const { first, head } = bounds;
  const { events, bytes, records } = copied;
  const verifiedMs = clock.monotonicMs() - startedMs - copiedMs;
  return { first, head, events, bytes, records, checksum, copiedMs, verifiedMs };
}

interface Visitor {
  readonly events: (events: readonly Recorded[]) => Promise<unknown>;
  readonly unused?: (unused: UnusedPositions) => Promise<void>;
  readonly records?: (kind: StateKind, entries: readonly StateEntry[]) => Promise<unknown>;
}

/** Reads everything in order, a page at a time. */
async function walk(
  { store, state }: MovableAdapter,
  { first, head, events: total }: Bounds,
  { onProgress = () => {}, signal }: MoveOptions,
  doing: 'copying' | 'verifying',
  visit: Visitor,
): Promise<StoreDigest> {
  const digest = new StoreDigest();
  for (let after = first - 1; after < head; ) {
    assertWanted(signal);
    const page = await store.read(0, after, { ...BYTES_READ, until: head });
    // What is lost at the end of the source, the target learns when it is complete.
    if (page.scannedTo <= after) break;
    for (const event of page.records) digest.addEvent(event);
    for (const stretch of stretches(after, page)) {
      if ('events' in stretch) await visit.events(stretch.events);
      else await visit.unused?.(stretch.unused);
    }
    after = page.scannedTo;
    onProgress({ stage: `${doing} events`, done: digest.events, total });
  }
  for (const kind of STATE_KINDS) {
    for (let after: string | undefined, isLast = false; !isLast; ) {
      assertWanted(signal);
      const page = await state.load(kind, { limit: RECORDS_AT_ONCE, ...(after === undefined ? {} : { after }) });
      for (const entry of page.entries) digest.addRecord(kind, entry);
      if (page.entries.length > 0) await visit.records?.(kind, page.entries);
      onProgress({ stage: `${doing} records`, done: digest.records });
      after = page.next;
      isLast = after === undefined;
    }
  }
  return digest;
}

/** The first of each page must be found by its id, so that nobody can publish it a second time. */
async function findById({ store }: MovableAdapter, [first]: readonly Recorded[]): Promise<void> {
  const { id, place } = first!;
  const [found] = await store.get([id]);
  if (found?.place.position !== place.position) throw differs(`the id of position ${place.position} is not known`);
}

/** What stores index by is in the body, which is the truth. */
function toRestored({ id, place, recordedAtMs, topic, lane, flags, body }: Recorded): Restored {
  const { type, source, correlationId, causationId, timestamp, metadata } = decodeStoredEvent(body);
  const { userId, projectId } = metadata;
  const names = { topic, type, source, correlationId, causationId, userId, projectId };
  const timestampMs = Date.parse(timestamp);
  return { id, lane, flags, ...names, timestampMs, body, position: place.position, recordedAtMs };
}

function toChange(kind: StateKind, { key, value }: StateEntry): StateChange {
  return { kind, key, value };
}

function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EventManagerError('aborted', 'The move was interrupted; the source is as it was.');
}

function differs(found: string): EventManagerError {
  return new EventManagerError(
    'corrupt_record',
    `The copy is not what was written: ${found}. The source is as it was.`,
  );
}
