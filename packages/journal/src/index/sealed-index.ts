import { lowerBound } from './active-index.ts';
import type { Dimension, PatternDimension } from './dimensions.ts';
import { hashText } from './hash.ts';
import { DamagedIndex, type IndexFile } from './index-file.ts';
import type { Narrowing, SegmentIndex } from './segment-index.ts';

/** Makes the index of a segment anew from its records. */
export type Rebuild = () => Promise<SegmentIndex>;

/**
 * The index of a sealed segment, read from its file. When the file turns out to be damaged, the index is made anew from the
 * segment, once, and answers from memory from then on: nobody who asks notices.
 */
export class SealedIndex implements SegmentIndex {
  readonly #file: IndexFile;
  readonly #rebuild: Rebuild;
  #rebuilt: Promise<SegmentIndex> | undefined;

  constructor(file: IndexFile, rebuild: Rebuild) {
    this.#file = file;
    this.#rebuild = rebuild;
  }

  get count(): number {
    return this.#file.header.count;
  }

  get firstAtMs(): number {
    return this.#file.header.firstAtMs;
  }

  get lastAtMs(): number {
    return this.#file.header.lastAtMs;
  }

  ordinalAt(position: number): number | Promise<number> {
    const { firstPosition, lastPosition, count } = this.#file.header;
    if (position > lastPosition) return count;
    if (position <= firstPosition) return 0;
    if (this.#isDense) return position - firstPosition;
    return this.#answer(
      async () => lowerBound(await this.#file.numbers('positions', 0, count), 0, count, position - firstPosition),
      (index) => index.ordinalAt(position),
    );
  }

  offsetOf(ordinal: number): Promise<number> {
    return this.#answer(
      async () => (await this.#file.number('offsets', ordinal)) * 8,
      (index) => index.offsetOf(ordinal),
    );
  }

  positionOf(ordinal: number): number | Promise<number> {
    const { firstPosition } = this.#file.header;
    if (this.#isDense) return firstPosition + ordinal;
    return this.#answer(
      async () => firstPosition + (await this.#file.number('positions', ordinal)),
      (index) => index.positionOf(ordinal),
    );
  }

  idCandidates(hash: number): Promise<readonly number[]> {
    return this.#answer(
      async () => {
        const found: number[] = [];
        const from = await this.#file.lowerBound('idHashes', hash);
        for (let index = from; index < this.count && (await this.#file.number('idHashes', index)) === hash; index++) {
          found.push(await this.#file.number('idOrdinals', index));
        }
        return found;
      },
      (index) => index.idCandidates(hash),
    );
  }

  select(narrowing: Narrowing, from: number, through: number): Promise<Uint32Array> {
    return this.#answer(
      () => this.#select(narrowing, from, through),
      (index) => index.select(narrowing, from, through),
    );
  }

  get #isDense(): boolean {
    return this.#file.lengthOf('positions') === 0;
  }

  async #answer<T>(read: () => Promise<T>, ask: (index: SegmentIndex) => T | Promise<T>): Promise<T> {
    if (this.#rebuilt !== undefined) return ask(await this.#rebuilt);
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof DamagedIndex)) throw error;
      this.#rebuilt ??= this.#rebuild();
      return ask(await this.#rebuilt);
    }
  }

  async #select(narrowing: Narrowing, first: number, last: number): Promise<Uint32Array> {
    const [from, through] = await this.#withinTime(narrowing, first, last);
    if (through < from) return new Uint32Array(0);
    let selected: Uint32Array | undefined;
    const narrowTo = (postings: Uint32Array): void => {
      selected = selected === undefined ? between(postings, from, through) : intersection(selected, postings);
    };
    for (const [dimension, hashes] of narrowing.hashes) {
      if (this.#knows(dimension)) narrowTo(await this.#postings(dimension, hashes));
    }
    for (const [dimension, test] of narrowing.patterns) {
      if (selected?.length === 0) break;
      const hashes = await this.#matchingHashes(dimension, test);
      if (hashes !== 'all') narrowTo(await this.#postings(dimension, hashes));
    }
    selected ??= ascending(from, through);
    if (narrowing.lanes === undefined || selected.length === 0) return selected;
    const lanes = await this.#file.bytes('lanes', from, through + 1);
    return selected.filter((ordinal) => narrowing.lanes!.includes(lanes[ordinal - from]!));
  }

  async #withinTime({ fromMs, toMs }: Narrowing, from: number, through: number): Promise<[number, number]> {
    const early = fromMs !== undefined && fromMs > this.firstAtMs;
    const late = toMs !== undefined && toMs <= this.lastAtMs;
    if (!early && !late) return [from, through];
    const times = await this.#file.numbers('times', 0, this.count);
    const first = early ? lowerBound(times, 0, this.count, fromMs - this.firstAtMs) : 0;
    const behind = late ? lowerBound(times, 0, this.count, toMs - this.firstAtMs) : this.count;
    return [Math.max(from, first), Math.min(through, behind - 1)];
  }

  /** False for a dimension that is newer than the file. */
  #knows(dimension: Dimension): boolean {
    return this.#file.lengthOf(`${dimension}.starts`) > 0;
  }

  /** Ascending ordinals of the records that have one of these hashes. */
  async #postings(dimension: Dimension, hashes: readonly number[]): Promise<Uint32Array> {
    const lists: Uint32Array[] = [];
    for (const hash of hashes) {
      const at = await this.#file.lowerBound(`${dimension}.hashes`, hash);
      if (at >= this.#file.lengthOf(`${dimension}.hashes`)) continue;
      if ((await this.#file.number(`${dimension}.hashes`, at)) !== hash) continue;
      const start = await this.#file.number(`${dimension}.starts`, at);
      const end = await this.#file.number(`${dimension}.starts`, at + 1);
      lists.push(await this.#file.numbers(`${dimension}.ordinals`, start, end));
    }
    return lists.length === 1 ? lists[0]! : union(lists);
  }

  async #matchingHashes(
    dimension: PatternDimension,
    test: (value: string) => boolean,
  ): Promise<readonly number[] | 'all'> {
    const values = JSON.parse((await this.#file.all(`${dimension}.values`)).toString('utf8')) as string[];
    const matching = values.filter(test);
    return matching.length === values.length ? 'all' : [...new Set(matching.map(hashText))];
  }
}

/** A loop is ten times as fast as `Uint32Array.from` with a function. */
function ascending(from: number, through: number): Uint32Array {
  const ordinals = new Uint32Array(through - from + 1);
  for (let index = 0; index < ordinals.length; index++) ordinals[index] = from + index;
  return ordinals;
}

function between(ordinals: Uint32Array, from: number, through: number): Uint32Array {
  const start = lowerBound(ordinals, 0, ordinals.length, from);
  return ordinals.subarray(start, lowerBound(ordinals, start, ordinals.length, through + 1));
}

function intersection(a: Uint32Array, b: Uint32Array): Uint32Array {
  const found = new Uint32Array(Math.min(a.length, b.length));
  let count = 0;
  let inB = 0;
  for (const ordinal of a) {
    while (inB < b.length && b[inB]! < ordinal) inB++;
    if (b[inB] === ordinal) found[count++] = ordinal;
  }
  return found.subarray(0, count);
}

/** Lists of one dimension never share an ordinal, so joining and sorting is all. */
function union(lists: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(lists.reduce((length, list) => length + list.length, 0));
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined.sort();
}
