import type { OpenFiles } from '../files/open-files.ts';
import { readBytes } from '../files/read-fully.ts';
import { checksum } from '../format/checksum.ts';
import {
  dataStart,
  decodeIndexHeader,
  decodePageChecksums,
  INDEX_HEADER_BYTES,
  type IndexHeader,
  PAGE_BYTES,
  pagesOf,
  type SectionName,
} from './index-format.ts';
import type { PageCache } from './page-cache.ts';

/** Thrown inside the index when its file does not match its checksums; whoever reads it makes the index anew. */
export class DamagedIndex extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super(`The index is damaged at offset ${offset}.`);
    this.offset = offset;
  }
}

const READ_THROUGH_BYTES = 4 * PAGE_BYTES;
const NUMBER_BYTES = 4;
const NUMBERS_PER_PAGE = PAGE_BYTES / NUMBER_BYTES;

/** An index file open for reading. Header and page CRCs are in memory, everything else is read when it is asked for. */
export class IndexFile {
  readonly name: string;
  readonly header: IndexHeader;
  readonly #files: OpenFiles;
  readonly #cache: PageCache;
  readonly #pageChecksums: Uint32Array;
  readonly #dataStart: number;

  private constructor(
    name: string,
    header: IndexHeader,
    files: OpenFiles,
    cache: PageCache,
    pageChecksums: Uint32Array,
  ) {
    this.name = name;
    this.header = header;
    this.#files = files;
    this.#cache = cache;
    this.#pageChecksums = pageChecksums;
    this.#dataStart = dataStart(pageChecksums.length);
  }

  /** Throws `DamagedIndex`, or `ENOENT` when there is no such file. */
  static open(name: string, files: OpenFiles, cache: PageCache): Promise<IndexFile> {
    return files.use(name, async (file) => {
      const head = await readBytes(file, 0, INDEX_HEADER_BYTES);
      const header = decodeIndexHeader(head);
      if (header === undefined) throw new DamagedIndex(0);
      const start = dataStart(pagesOf(header.dataBytes));
      const table = await readBytes(file, INDEX_HEADER_BYTES, start - INDEX_HEADER_BYTES);
      const pageChecksums = decodePageChecksums(head, table);
      if (pageChecksums === undefined) throw new DamagedIndex(INDEX_HEADER_BYTES);
      const size = await file.size();
      if (size !== start + header.dataBytes) throw new DamagedIndex(Math.min(size, start + header.dataBytes));
      return new IndexFile(name, header, files, cache, pageChecksums);
    });
  }

  /** How many numbers a section holds. */
  lengthOf(section: SectionName): number {
    return this.header.sections.get(section)!.bytes / NUMBER_BYTES;
  }

  async number(section: SectionName, index: number): Promise<number> {
    const at = this.header.sections.get(section)!.offset + index * NUMBER_BYTES;
    const page = await this.#page(Math.floor(at / PAGE_BYTES));
    return page.readUInt32LE(at % PAGE_BYTES);
  }

  /** Numbers [from, to) of a section. */
  async numbers(section: SectionName, from: number, to: number): Promise<Uint32Array> {
    const bytes = await this.bytes(section, from * NUMBER_BYTES, to * NUMBER_BYTES);
    const copy = new Uint8Array(bytes);
    return new Uint32Array(copy.buffer);
  }

  /** Bytes [from, to) of a section. */
  async bytes(section: SectionName, from: number, to: number): Promise<Buffer> {
    const start = this.header.sections.get(section)!.offset;
    return this.#data(start + from, start + to);
  }

  async all(section: SectionName): Promise<Buffer> {
    return this.bytes(section, 0, this.header.sections.get(section)!.bytes);
  }

  /**
   * The first index of an ascending section of hashes whose value is at least `value`. Hashes are spread evenly, so the
   * first guess is nearly always the right page or its neighbour; halving takes over when they are not.
   */
  async lowerBound(section: SectionName, value: number): Promise<number> {
    let low = 0;
    let high = this.lengthOf(section);
    for (let tries = 0; low < high; tries++) {
      const guess = tries < 3 ? Math.floor((value / 2 ** 32) * this.lengthOf(section)) : (low + high) >>> 1;
      const middle = Math.min(Math.max(guess, low), high - 1);
      const from = Math.max(low, middle - (middle % NUMBERS_PER_PAGE));
      const to = Math.min(high, from + NUMBERS_PER_PAGE);
      const numbers = await this.numbers(section, from, to);
      if (numbers[0]! >= value) high = from;
      else if (numbers[numbers.length - 1]! < value) low = to;
      else return from + firstAtLeast(numbers, value);
    }
    return low;
  }

  /** Checks every page. Throws `DamagedIndex` at the first that does not verify. */
  async verifyAll(): Promise<void> {
    for (let page = 0; page < this.#pageChecksums.length; page++) await this.#page(page);
  }

  async #data(from: number, to: number): Promise<Buffer> {
    if (to <= from) return Buffer.alloc(0);
    const first = Math.floor(from / PAGE_BYTES);
    const last = Math.floor((to - 1) / PAGE_BYTES);
    const base = first * PAGE_BYTES;
    if (to - from > READ_THROUGH_BYTES) {
      const bytes = await this.#read(base, Math.min(this.header.dataBytes, (last + 1) * PAGE_BYTES) - base);
      for (let page = first; page <= last; page++) this.#verify(page, bytes, (page - first) * PAGE_BYTES);
      return bytes.subarray(from - base, to - base);
    }
    const pages: Buffer[] = [];
    for (let page = first; page <= last; page++) pages.push(await this.#page(page));
    const bytes = pages.length === 1 ? pages[0]! : Buffer.concat(pages);
    return bytes.subarray(from - base, to - base);
  }

  async #page(page: number): Promise<Buffer> {
    const cached = this.#cache.get(this, page);
    if (cached !== undefined) return cached;
    const at = page * PAGE_BYTES;
    const bytes = await this.#read(at, Math.min(PAGE_BYTES, this.header.dataBytes - at));
    this.#verify(page, bytes, 0);
    this.#cache.put(this, page, bytes);
    return bytes;
  }

  #read(at: number, length: number): Promise<Buffer> {
    return this.#files.use(this.name, (file) => readBytes(file, this.#dataStart + at, length));
  }

  #verify(page: number, bytes: Buffer, at: number): void {
    const length = Math.min(PAGE_BYTES, this.header.dataBytes - page * PAGE_BYTES);
    if (at + length > bytes.length || checksum(bytes, at, at + length) !== this.#pageChecksums[page]) {
      throw new DamagedIndex(this.#dataStart + page * PAGE_BYTES);
    }
  }
}

function firstAtLeast(numbers: Uint32Array, value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
