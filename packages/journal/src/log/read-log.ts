import type { LostRange, Position, ReadOptions, ReadResult, Recorded } from '@event-manager/core';
import { readBytes } from '../files/read-fully.ts';
import { contentHolds, decodeRecordHeader, RECORD_HEADER_BYTES } from '../format/record.ts';
import { viewOf } from '../format/view-of.ts';
import { type LogCore, segmentAfter } from './log-core.ts';
import { toRecorded } from './read-record.ts';
import type { Segment } from './segment.ts';

const CHUNK_BYTES_MIN = 8 << 10;
const CHUNK_BYTES_MAX = 256 << 10;
/** Most bytes looked at in one call, so that a search for a rare lane gives intermediate answers. */
const SCAN_BYTES_MAX = 16 << 20;

/** The state of one `read`: what was found and how far it got. */
class Reading {
  readonly records: Recorded[] = [];
  readonly options: ReadOptions;
  /** The last position to look at. */
  readonly end: Position;
  scannedTo: Position;
  lost: LostRange | undefined;
  bodyBytes = 0;
  scannedBytes = 0;

  constructor(after: Position, end: Position, options: ReadOptions) {
    this.scannedTo = after;
    this.end = end;
    this.options = options;
  }

  get isDone(): boolean {
    return (
      this.scannedTo >= this.end ||
      this.records.length >= this.options.limit ||
      this.bodyBytes >= this.options.bytesMax ||
      this.scannedBytes >= SCAN_BYTES_MAX
    );
  }

  wants(lane: Recorded['lane']): boolean {
    return this.options.lanes === undefined || this.options.lanes.includes(lane);
  }

  add(record: Recorded): void {
    this.records.push(record);
    this.bodyBytes += record.body.length;
  }

  /**
   * Passes over positions that are gone. One answer names one range; false when this is another one, which then belongs
   * to the next answer.
   */
  skip(through: Position, cause: LostRange['cause']): boolean {
    const from = this.scannedTo + 1;
    if (through < from) return true;
    if (this.lost === undefined) this.lost = { from, through, cause };
    else if (this.lost.cause === cause && this.lost.through === from - 1) this.lost = { ...this.lost, through };
    else return false;
    this.scannedTo = through;
    return true;
  }

  result(): ReadResult {
    const { records, scannedTo, lost } = this;
    return lost === undefined ? { records, scannedTo } : { records, scannedTo, lost };
  }
}

/** `EventStore.read`. Records that do not verify are reported as damage and passed over, never returned. */
export async function readLog(core: LogCore, after: Position, options: ReadOptions): Promise<ReadResult> {
  const end = Math.min(core.head, options.until ?? Number.POSITIVE_INFINITY);
  const reading = new Reading(after, end, options);
  while (!reading.isDone) {
    reading.skip(Math.min(end, core.trimmedThrough), 'trimmed');
    const segment = core.segments[segmentAfter(core.segments, reading.scannedTo)];
    const before = Math.min(end, (segment?.first ?? end + 1) - 1);
    if (!reading.skip(before, 'damaged')) break;
    if (segment === undefined || reading.isDone) continue;
    if (!(await readSegment(core, segment, reading))) break;
  }
  return reading.result();
}

/** Reads on inside one segment. False when the answer has to end here. */
async function readSegment(core: LogCore, segment: Segment, reading: Reading): Promise<boolean> {
  const last = Math.min(segment.last, reading.end);
  let ordinal = await segment.index.ordinalAt(reading.scannedTo + 1);
  // The segment may have been emptied by damage: everything up to its durable end is gone then.
  if (ordinal >= segment.index.count) return reading.skip(last, 'damaged');
  let offset = await segment.index.offsetOf(ordinal);
  while (!reading.isDone && reading.scannedTo < last) {
    if (ordinal >= segment.index.count) return reading.skip(last, 'damaged');
    const step = await readChunk(core, segment, reading, offset, ordinal, last);
    if (step === 'full') return false;
    ordinal = step.ordinal;
    offset = step.damaged && ordinal < segment.index.count ? await segment.index.offsetOf(ordinal) : step.offset;
  }
  return true;
}

type Step = 'full' | { readonly ordinal: number; readonly offset: number; readonly damaged: boolean };

async function readChunk(
  core: LogCore,
  segment: Segment,
  reading: Reading,
  from: number,
  firstOrdinal: number,
  last: Position,
): Promise<Step> {
  const bytes = await readAt(core, segment, from, chunkBytes(reading));
  const view = viewOf(bytes);
  let at = 0;
  let ordinal = firstOrdinal;
  while (!reading.isDone && reading.scannedTo < last) {
    const header = decodeRecordHeader(bytes, view, at, segment.seed);
    if (header === undefined && at > 0 && at + RECORD_HEADER_BYTES > bytes.length) break;
    if (header === undefined || header.position <= reading.scannedTo)
      return skipDamaged(core, segment, reading, ordinal, from + at);
    if (header.position > last)
      return reading.skip(last, 'damaged') ? { ordinal, offset: from + at, damaged: false } : 'full';
    if (!reading.skip(header.position - 1, 'damaged')) return 'full';
    if (reading.wants(header.lane)) {
      if (at + header.bytes > bytes.length && at > 0) break;
      const whole = at + header.bytes > bytes.length ? await readAt(core, segment, from, header.bytes) : bytes;
      if (!contentHolds(whole, at, header) && !core.folder.runtime.planted.has('no-checksum-on-read')) {
        return skipDamaged(core, segment, reading, ordinal, from + at);
      }
      reading.add(toRecorded(whole, at, header));
    }
    reading.scannedTo = header.position;
    reading.scannedBytes += header.bytes;
    at += header.bytes;
    ordinal++;
  }
  return { ordinal, offset: from + at, damaged: false };
}

/** Passes over the record `ordinal`, which does not verify, up to the one behind it. */
async function skipDamaged(
  core: LogCore,
  segment: Segment,
  reading: Reading,
  ordinal: number,
  offset: number,
): Promise<Step> {
  const next = ordinal + 1;
  const before = next < segment.index.count ? (await segment.index.positionOf(next)) - 1 : segment.last;
  const from = await segment.index.positionOf(ordinal);
  core.damage.report({
    file: segment.file,
    offset,
    reason: 'a record does not match its checksum',
    lost: { from, through: before },
  });
  if (!reading.skip(Math.min(before, reading.end), 'damaged')) return 'full';
  return { ordinal: next, offset, damaged: true };
}

function readAt(core: LogCore, segment: Segment, offset: number, length: number): Promise<Buffer> {
  return core.files.use(segment.file, (file) => readBytes(file, offset, length));
}

function chunkBytes({ options, records }: Reading): number {
  const wanted = (options.limit - records.length) * 1024;
  return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, wanted));
}
