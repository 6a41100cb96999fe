import { EventManagerError, type Recorded } from '@event-manager/core';
import type { OpenFiles } from '../files/open-files.ts';
import { readBytes } from '../files/read-fully.ts';
import {
  bodyOf,
  contentHolds,
  decodeId,
  decodeRecordHeader,
  decodeTopic,
  type RecordHeader,
} from '../format/record.ts';
import { viewOf } from '../format/view-of.ts';
import type { LogCore } from './log-core.ts';
import type { Segment } from './segment.ts';

/** Enough for most records with one read. */
const FIRST_READ_BYTES = 2048;

/** A record as bytes: `bytes` begins with its header and holds all of it. */
export interface RawRecord {
  readonly bytes: Buffer;
  readonly header: RecordHeader;
}

/** Reads and verifies the record at `offset`; `undefined` when it is damaged or is not the one at `position`. */
export async function readRecord(
  files: OpenFiles,
  segment: Segment,
  offset: number,
  position: number,
): Promise<RawRecord | undefined> {
  return files.use(segment.file, async (file) => {
    let bytes = await readBytes(file, offset, FIRST_READ_BYTES);
    const header = decodeRecordHeader(bytes, viewOf(bytes), 0, segment.seed);
    if (header === undefined || header.position !== position) return undefined;
    if (header.bytes > bytes.length) bytes = await readBytes(file, offset, header.bytes);
    return contentHolds(bytes, 0, header) ? { bytes, header } : undefined;
  });
}

/** The record whose verified bytes begin at `at`. The body is copied: a page must not stay in memory for one small event. */
export function toRecorded(bytes: Buffer, at: number, header: RecordHeader): Recorded {
  return {
    id: decodeId(bytes, at),
    place: { partition: 0, position: header.position },
    recordedAtMs: header.recordedAtMs,
    topic: decodeTopic(bytes, at, header),
    lane: header.lane,
    flags: header.flags,
    body: Buffer.from(bodyOf(bytes, at, header)),
  };
}

/** Puts a record that does not verify down as damage and returns the error for a caller that cannot go on without it. */
export function damagedRecord(core: LogCore, segment: Segment, offset: number, position: number): EventManagerError {
  core.damage.report({
    file: segment.file,
    offset,
    reason: 'a record does not match its checksum',
    lost: { from: position, through: position },
  });
  return new EventManagerError('corrupt_record', 'A stored event does not match its checksum.', { position });
}
