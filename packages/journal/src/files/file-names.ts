import type { SegmentId } from '../format/segment-id.ts';

/*
 * Names in the data directory. Numbers are padded so that the order of names is the order of positions. A segment's name
 * repeats its id and first position: with a damaged header its records can still be verified.
 */

export const WITNESS_FILE = 'witness';
export const LOCK_FILE = 'lock';
export const RESERVE_FILE = 'reserve';
export const DAMAGE_FILE = 'damage.json';
/** Positions that a repair gave up. */
export const LOST_FILE = 'lost.json';
/** While it is there the journal is being filled from another store, or that was interrupted. */
export const INCOMPLETE_FILE = 'incomplete';
/** While it is there what the journal kept has moved to another store. */
export const MOVED_FILE = 'moved';
/** Copies of damaged files. */
export const QUARANTINE_DIR = 'quarantine';
/** Bytes behind the last complete record that a crash left. */
export const TORN_DIR = 'torn';
/** A file under construction; worth nothing after a crash. */
export const TEMPORARY_SUFFIX = '.tmp';

const DIGITS = 16;
const SEGMENT = /^events-(\d{16})-([0-9a-f]{16})\.log$/;
const STATE_LOG = /^state-(\d{16})\.log$/;
const SNAPSHOT = /^state-(\d{16})\.snapshot$/;

const padded = (value: number): string => String(value).padStart(DIGITS, '0');

export const segmentFile = (first: number, id: SegmentId): string => `events-${padded(first)}-${id}.log`;
export const indexFileOf = (segment: string): string => segment.replace(/\.log$/, '.index');
export const segmentOfIndex = (index: string): string => index.replace(/\.index$/, '.log');
export const stateLogFile = (first: number): string => `state-${padded(first)}.log`;
export const snapshotFile = (sequence: number): string => `state-${padded(sequence)}.snapshot`;
export const isIndexFile = (name: string): boolean => /^events-\d{16}-[0-9a-f]{16}\.index$/.test(name);

export function parseSegmentFile(name: string): { first: number; id: SegmentId } | undefined {
  const match = SEGMENT.exec(name);
  return match === null ? undefined : { first: Number(match[1]), id: match[2]! };
}

export function parseStateLogFile(name: string): number | undefined {
  const match = STATE_LOG.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export function parseSnapshotFile(name: string): number | undefined {
  const match = SNAPSHOT.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** True for a file that holds events or state, or is made of those that do. */
export function isContentFile(name: string): boolean {
  return isIndexFile(name) || (name !== WITNESS_FILE && isJournalFile(name));
}

/** True for a name that only a journal gives: a directory without one is somebody else's. */
export function isJournalFile(name: string): boolean {
  return name === WITNESS_FILE || SEGMENT.test(name) || STATE_LOG.test(name) || SNAPSHOT.test(name);
}
