import type { ActiveIndex } from '../index/active-index.ts';
import { hashId } from '../index/hash.ts';
import type { IdDirectory } from '../index/id-directory.ts';
import type { LogCore } from './log-core.ts';
import { readRecord } from './read-record.ts';
import type { Segment } from './segment.ts';

/** Where the record of an id is. */
export interface KnownRecord {
  readonly segment: Segment;
  readonly ordinal: number;
  readonly position: number;
}

/** Segments whose index is still in memory, newest first: the active one and those that are being sealed. */
export interface SegmentInMemory {
  readonly segment: Segment;
  readonly index: ActiveIndex;
}

/** Finds records by event id: in memory for recent ones, through the directory for sealed segments. */
export class KnownIds {
  readonly #core: LogCore;
  readonly #directory: IdDirectory;
  readonly idSeed: number;
  #inMemory: SegmentInMemory[] = [];
  readonly #sealed = new Set<Segment>();

  constructor(core: LogCore, directory: IdDirectory, idSeed: number) {
    this.#core = core;
    this.#directory = directory;
    this.idSeed = idSeed;
  }

  /** The newest segment, whose index answers for it until it is sealed. */
  add(entry: SegmentInMemory): void {
    this.#inMemory.unshift(entry);
  }

  /** The directory knows the segment's ids now. */
  markSealed(segment: Segment): void {
    this.#sealed.add(segment);
  }

  /**
   * Lets go of the memory of sealed segments. Called between two batches only: a batch asks the directory first and the
   * memory afterwards, and an id that moved from one to the other meanwhile would be seen by neither.
   */
  releaseSealed(): void {
    if (this.#sealed.size === 0) return;
    this.#inMemory = this.#inMemory.filter(({ segment }) => !this.#sealed.has(segment));
    this.#sealed.clear();
  }

  forget(segment: Segment): void {
    this.#inMemory = this.#inMemory.filter((entry) => entry.segment !== segment);
    this.#directory.remove(segment);
  }

  hash(ids: Uint32Array, at: number): number {
    return hashId(ids, at, this.idSeed);
  }

  findInMemory(ids: Uint32Array, at: number, hash: number): KnownRecord | undefined {
    for (const { segment, index } of this.#inMemory) {
      const ordinal = index.findId(ids, at, hash, this.#core.trimmedThrough);
      if (ordinal >= 0) return { segment, ordinal, position: index.positionOf(ordinal) };
    }
    return undefined;
  }

  /** Sealed segments that may hold the id: nearly always `undefined`, and then no record need be read. */
  sealedCandidates(hash: number): Segment[] | undefined {
    return this.#directory.candidates(hash);
  }

  /** Looks into sealed segments, reading records to compare whole ids. */
  async findSealed(
    ids: Uint32Array,
    at: number,
    hash: number,
    candidates: readonly Segment[],
  ): Promise<KnownRecord | undefined> {
    for (const segment of candidates) {
      for (const ordinal of await segment.index.idCandidates(hash)) {
        const position = await segment.index.positionOf(ordinal);
        if (position <= this.#core.trimmedThrough) continue;
        const raw = await readRecord(this.#core.files, segment, await segment.index.offsetOf(ordinal), position);
        if (raw !== undefined && sameId(raw.bytes, ids, at)) return { segment, ordinal, position };
      }
    }
    return undefined;
  }
}

function sameId(bytes: Buffer, ids: Uint32Array, at: number): boolean {
  for (let word = 0; word < 4; word++) if (bytes.readUInt32BE(24 + word * 4) !== ids[at + word]) return false;
  return true;
}
