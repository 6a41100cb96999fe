import { type DiskFile, STATE_KINDS, type StateKind } from '@event-manager/core';
import { readBytes } from '../files/read-fully.ts';

/** A record of the state by what it is called. */
export interface RecordName {
  readonly kind: StateKind;
  readonly key: string;
}

/** More of a damaged stretch is not looked at: what it would name nobody would read. */
const LOOKED_AT_BYTES_MAX = 4 << 20;
const NAMED_MAX = 1_000;

/**
 * How commits and entries of a snapshot begin a record. Neither kinds nor keys of the engine need escapes. Tried only where
 * a record may begin: searching by it would begin anew at every byte of what is damaged.
 */
const RECORD = /\["([a-z-]{1,32})","([^"\\]{1,512})"/y;
const RECORD_START = '["';

/**
 * The records that a stretch of damaged bytes still names. Whoever repairs has to know what may be gone: a subscription is
 * another loss than the progress of one. Nothing here is certain: a checksum says that the bytes are wrong, not which.
 */
export async function recordsIn(file: DiskFile, from: number, to: number): Promise<readonly RecordName[]> {
  const bytes = await readBytes(file, from, Math.min(to - from, LOOKED_AT_BYTES_MAX));
  const text = bytes.toString('utf8');
  const names = new Map<string, RecordName>();
  let at = text.indexOf(RECORD_START);
  while (at >= 0 && names.size < NAMED_MAX) {
    RECORD.lastIndex = at;
    const [whole, kind, key] = RECORD.exec(text) ?? [];
    if (whole !== undefined && isKind(kind!)) names.set(whole, { kind, key: key! });
    at = text.indexOf(RECORD_START, at + 1);
  }
  return [...names.values()];
}

const KINDS: ReadonlySet<string> = new Set(STATE_KINDS);

function isKind(text: string): text is StateKind {
  return KINDS.has(text);
}
