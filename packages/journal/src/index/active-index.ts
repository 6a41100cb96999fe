import type { RecordNames } from '../format/record.ts';
import { DIMENSIONS, type Dimension, PATTERN_DIMENSIONS, type PatternDimension } from './dimensions.ts';
import { hashText } from './hash.ts';
import type { Narrowing, SegmentIndex } from './segment-index.ts';

const INITIAL_RECORDS = 1024;
const EXPECTED_MAX = 1 << 20;
const WORDS_PER_ID = 4;
/** Recorded-at is kept as milliseconds after the segment's first record; beyond 49 days the column says "later than that". */
export const TIME_DELTA_MAX = 0xffff_ffff;

/** What the index keeps of one record, in columns. */
export interface IndexedRecord {
  readonly position: number;
  readonly recordedAtMs: number;
  readonly lane: number;
  readonly offset: number;
  readonly ids: Uint32Array;
  readonly idAt: number;
  /** `hashId` of the id with the seed of the index. */
  readonly idHash: number;
  readonly names: RecordNames;
}

/**
 * The index of a segment in memory: growing typed arrays, one entry per record, and an open-addressing table from id hash
 * to ordinal. Searches by field run over the columns, which takes about a millisecond for a full segment.
 *
 * Records are added before they are durable and taken back by `cutTo` when their batch fails.
 */
export class ActiveIndex implements SegmentIndex {
  readonly idSeed: number;
  count = 0;
  firstPosition = 0;
  firstAtMs = 0;
  ids: Uint32Array;
  idHashes: Uint32Array;
  /** In units of the alignment. */
  offsets: Uint32Array;
  positions: Uint32Array;
  times: Uint32Array;
  lanes: Uint8Array;
  readonly hashes: Record<Dimension, Uint32Array>;
  /** Distinct values of the pattern dimensions with their hashes. May hold values of records that were taken back. */
  readonly values: Record<PatternDimension, Map<string, number>> = { topic: new Map(), type: new Map() };
  /** Ordinal + 1 per slot; 0 is free. At most half full. */
  #table: Int32Array;

  /**
   * Room for `expected` records is made at once: growing to a full segment holds the event loop for two to five milliseconds.
   * What is not used of it costs no memory, because nothing touches it.
   */
  constructor(idSeed: number, expected = 0) {
    this.idSeed = idSeed;
    const capacity = 2 ** Math.ceil(Math.log2(Math.min(Math.max(expected, INITIAL_RECORDS), EXPECTED_MAX)));
    this.ids = new Uint32Array(capacity * WORDS_PER_ID);
    this.idHashes = new Uint32Array(capacity);
    this.offsets = new Uint32Array(capacity);
    this.positions = new Uint32Array(capacity);
    this.times = new Uint32Array(capacity);
    this.lanes = new Uint8Array(capacity);
    const columns = DIMENSIONS.map((name) => [name, new Uint32Array(capacity)]);
    this.hashes = Object.fromEntries(columns) as Record<Dimension, Uint32Array>;
    this.#table = new Int32Array(capacity * 2);
  }

  get lastAtMs(): number {
    return this.count === 0 ? 0 : this.firstAtMs + this.times[this.count - 1]!;
  }

  add(record: IndexedRecord): void {
    if (this.count === this.offsets.length) this.#grow();
    const ordinal = this.count;
    if (ordinal === 0) {
      this.firstPosition = record.position;
      this.firstAtMs = record.recordedAtMs;
    }
    this.offsets[ordinal] = record.offset / 8;
    this.positions[ordinal] = record.position - this.firstPosition;
    this.times[ordinal] = Math.min(TIME_DELTA_MAX, record.recordedAtMs - this.firstAtMs);
    this.lanes[ordinal] = record.lane;
    const idAt = ordinal * WORDS_PER_ID;
    for (let word = 0; word < WORDS_PER_ID; word++) this.ids[idAt + word] = record.ids[record.idAt + word]!;
    this.idHashes[ordinal] = record.idHash;
    this.#addNames(ordinal, record.names);
    this.count++;
    this.#enter(ordinal);
  }

  /** Ordinal of the record with this id behind the position `after`, or -1. */
  findId(ids: Uint32Array, at: number, hash: number, after: number): number {
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ordinal = this.#table[slot]! - 1;
      if (ordinal < 0) return -1;
      if (this.idHashes[ordinal] !== hash || !this.#sameId(ordinal, ids, at)) continue;
      if (this.positionOf(ordinal) > after) return ordinal;
    }
  }

  /** Forgets all records from ordinal `count` on. */
  cutTo(count: number): void {
    if (count === this.count) return;
    this.count = count;
    this.#table.fill(0);
    for (let ordinal = 0; ordinal < count; ordinal++) this.#enter(ordinal);
  }

  ordinalAt(position: number): number {
    return lowerBound(this.positions, 0, this.count, position - this.firstPosition);
  }

  offsetOf(ordinal: number): number {
    return this.offsets[ordinal]! * 8;
  }

  positionOf(ordinal: number): number {
    return this.firstPosition + this.positions[ordinal]!;
  }

  idCandidates(hash: number): readonly number[] {
    const found: number[] = [];
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      const ordinal = this.#table[slot]! - 1;
      if (this.idHashes[ordinal] === hash) found.push(ordinal);
    }
    return found;
  }

  select(narrowing: Narrowing, from: number, through: number): Uint32Array {
    const accepted = this.#acceptedHashes(narrowing);
    const [first, last] = this.#withinTime(narrowing, from, through);
    const found = new Uint32Array(Math.max(0, last - first + 1));
    let count = 0;
    search: for (let ordinal = first; ordinal <= last; ordinal++) {
      if (narrowing.lanes !== undefined && !narrowing.lanes.includes(this.lanes[ordinal]!)) continue;
      for (const { column, hashes } of accepted) if (!hashes.has(column[ordinal]!)) continue search;
      found[count++] = ordinal;
    }
    return found.subarray(0, count);
  }

  /** A segment never spans more than the column of times can say, so what it says is exact. */
  #withinTime({ fromMs, toMs }: Narrowing, from: number, through: number): [number, number] {
    const first = fromMs === undefined ? from : lowerBound(this.times, 0, this.count, fromMs - this.firstAtMs);
    const behind = toMs === undefined ? through + 1 : lowerBound(this.times, 0, this.count, toMs - this.firstAtMs);
    return [Math.max(from, first), Math.min(through, behind - 1)];
  }

  #acceptedHashes({ hashes, patterns }: Narrowing): { column: Uint32Array; hashes: ReadonlySet<number> }[] {
    const accepted: { column: Uint32Array; hashes: ReadonlySet<number> }[] = [];
    for (const [dimension, wanted] of hashes) {
      accepted.push({ column: this.hashes[dimension], hashes: new Set(wanted) });
    }
    for (const dimension of PATTERN_DIMENSIONS) {
      const test = patterns.get(dimension);
      if (test === undefined) continue;
      const matching = [...this.values[dimension]].filter(([value]) => test(value)).map(([, hash]) => hash);
      accepted.push({ column: this.hashes[dimension], hashes: new Set(matching) });
    }
    return accepted;
  }

  #addNames(ordinal: number, names: RecordNames): void {
    this.hashes.topic[ordinal] = this.#hashOfValue('topic', names.topic);
    this.hashes.type[ordinal] = this.#hashOfValue('type', names.type);
    this.hashes.source[ordinal] = hashText(names.source);
    this.hashes.correlationId[ordinal] = names.correlationId === '' ? 0 : hashText(names.correlationId);
    this.hashes.userId[ordinal] = names.userId === '' ? 0 : hashText(names.userId);
    this.hashes.projectId[ordinal] = names.projectId === '' ? 0 : hashText(names.projectId);
    this.hashes.causationId[ordinal] = names.causationId === '' ? 0 : hashText(names.causationId);
  }

  #hashOfValue(dimension: PatternDimension, value: string): number {
    let hash = this.values[dimension].get(value);
    if (hash === undefined) this.values[dimension].set(value, (hash = hashText(value)));
    return hash;
  }

  #sameId(ordinal: number, ids: Uint32Array, at: number): boolean {
    const own = ordinal * WORDS_PER_ID;
    return (
      this.ids[own] === ids[at] &&
      this.ids[own + 1] === ids[at + 1] &&
      this.ids[own + 2] === ids[at + 2] &&
      this.ids[own + 3] === ids[at + 3]
    );
  }

  #enter(ordinal: number): void {
    const mask = this.#table.length - 1;
    let slot = this.idHashes[ordinal]! & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = ordinal + 1;
  }

  #grow(): void {
    const capacity = this.offsets.length * 2;
    this.ids = grown(this.ids, capacity * WORDS_PER_ID);
    this.idHashes = grown(this.idHashes, capacity);
    this.offsets = grown(this.offsets, capacity);
    this.positions = grown(this.positions, capacity);
    this.times = grown(this.times, capacity);
    const lanes = new Uint8Array(capacity);
    lanes.set(this.lanes);
    this.lanes = lanes;
    for (const dimension of DIMENSIONS) this.hashes[dimension] = grown(this.hashes[dimension], capacity);
    this.#table = new Int32Array(capacity * 2);
    for (let ordinal = 0; ordinal < this.count; ordinal++) this.#enter(ordinal);
  }
}

function grown(column: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(capacity);
  larger.set(column);
  return larger;
}

/** The first index in [from, to) of an ascending column whose value is at least `bound`; `to` when there is none. */
export function lowerBound(column: Uint32Array, from: number, to: number, bound: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
