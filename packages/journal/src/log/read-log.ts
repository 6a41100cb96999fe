import type { LostRange, Position, ReadOptions, ReadResult, Recorded } from '@event-manager/core';
import type { Range } from '../damage.ts';
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

  readonly #unused: readonly Range[];

  constructor(after: Position, end: Position, options: ReadOptions, unused: readonly Range[]) {
    this.#unused = unused;
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
    while (this.scannedTo < through) {
      const from = this.scannedTo + 1;
      const unused = cause === 'damaged' ? this.#unused.find((range) => range.through >= from) : undefined;
      if (unused !== undefined && unused.from <= from) {
        this.scannedTo = Math.min(through, unused.through);
      } else if (!this.#lose({ from, through: Math.min(through, (unused?.from ?? through + 1) - 1), cause })) {
        return false;
      }
    }
    return true;
  }

  #lose({ from, through, cause }: LostRange): boolean {
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
  const reading = new Reading(after, end, options, core.damage.unused);
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
  let offset: number | undefined;
  while (!reading.isDone && reading.scannedTo < last) {
    offset ??= await offsetBehind(segment, reading.scannedTo);
    // The segment may have been emptied by damage: everything up to its durable end is gone then.
    if (offset === undefined) return reading.skip(last, 'damaged');
    const step = await readChunk(core, segment, reading, offset, last);
    if (step === 'full') return false;
    // Behind its last record a segment may still answer for positions that were lost: the index knows that none follows.
    offset = step === 'damaged' || step >= segment.bytes ? undefined : step;
  }
  return true;
}

/** Where the first record behind a position stands, if the index knows one. */
async function offsetBehind({ index }: Segment, position: Position): Promise<number | undefined> {
  const ordinal = await index.ordinalAt(position + 1);
  return ordinal < index.count ? index.offsetOf(ordinal) : undefined;
}

/** The offset to read on from; `damaged` when the index has to tell; `full` when the answer has to end here. */
type Step = number | 'damaged' | 'full';

async function readChunk(
  core: LogCore,
  segment: Segment,
  reading: Reading,
  from: number,
  last: Position,
): Promise<Step> {
  const bytes = await readAt(core, segment, from, chunkBytes(reading));
  const view = viewOf(bytes);
  let at = 0;
  while (!reading.isDone && reading.scannedTo < last) {
    const header = decodeRecordHeader(bytes, view, at, segment.seed);
    if (header === undefined && at > 0 && at + RECORD_HEADER_BYTES > bytes.length) break;
    if (header === undefined || header.position <= reading.scannedTo)
      return skipDamaged(core, segment, reading, from + at);
    if (header.position > last) return reading.skip(last, 'damaged') ? from + at : 'full';
    if (!reading.skip(header.position - 1, 'damaged')) return 'full';
    if (reading.wants(header.lane)) {
      if (at + header.bytes > bytes.length && at > 0) break;
      const whole = at + header.bytes > bytes.length ? await readAt(core, segment, from, header.bytes) : bytes;
      if (!contentHolds(whole, at, header) && !core.folder.runtime.planted.has('no-checksum-on-read')) {
        return skipDamaged(core, segment, reading, from + at);
      }
      reading.add(toRecorded(whole, at, header));
    }
    reading.scannedTo = header.position;
    reading.scannedBytes += header.bytes;
    at += header.bytes;
  }
  return from + at;
}

/** Passes over the record at `offset`, which does not verify, up to the next one that the index knows. */
async function skipDamaged(core: LogCore, segment: Segment, reading: Reading, offset: number): Promise<Step> {
  const { index } = segment;
  const from = reading.scannedTo + 1;
  let next = await index.ordinalAt(from);
  // An index made at the opening leaves the damaged record out; one that is older than the damage still has it.
  if (next < index.count && (await index.offsetOf(next)) <= offset) next++;
  const through = next < index.count ? (await index.positionOf(next)) - 1 : segment.last;
  const reason = 'a record does not match its checksum';
  core.damage.report({ file: segment.file, offset, reason, lost: { from, through } });
  return reading.skip(Math.min(through, reading.end), 'damaged') ? 'damaged' : 'full';
}

function readAt(core: LogCore, segment: Segment, offset: number, length: number): Promise<Buffer> {
  return core.files.use(segment.file, (file) => readBytes(file, offset, length));
}

function chunkBytes({ options, records }: Reading): number {
  const wanted = (options.limit - records.length) * 1024;
  return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, wanted));
}
