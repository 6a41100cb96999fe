import { checksum } from '../format/checksum.ts';
import { assertVersion } from '../format/segment-header.ts';
import type { SegmentId } from '../format/segment-id.ts';
import { readU64, writeU64 } from '../format/u64.ts';
import { viewOf } from '../format/view-of.ts';
import { DIMENSIONS, type Dimension, LATE_DIMENSION, PATTERN_DIMENSIONS, type PatternDimension } from './dimensions.ts';

/*
 * An index file: a header of 512 bytes, one CRC per page, the data. The data are sections of 32-bit little-endian numbers (or
 * bytes, or JSON), each beginning at a multiple of 8; they are read by pages of 4096 bytes and each page is checked against
 * its CRC. Nothing here is worth keeping when it is damaged: the file is made anew from its segment.
 *
 * The sections of a dimension that came later stand at the end of the table, where a file from before has zeros: its `starts`
 * are empty, which they never are otherwise, and a search by that field then looks at every record.
 *
 *   0 magic "EMINDEX1" · 8 u16 version · 12 u32 records · 16 segment id · 24 u64 bytes of the segment
 *   32 u64 first position · 40 u64 last position · 48 u64 first recorded-at · 56 u64 last recorded-at · 64 u32 id seed
 *   68 u32 pages · 72 u32 CRC of the page CRCs · 76 u32 bytes of data · 80 sections, u32 offset and u32 bytes each
 *   508 u32 CRC of bytes 0 to 507
 */

export const INDEX_HEADER_BYTES = 512;
export const PAGE_BYTES = 4096;
const MAGIC = Buffer.from('EMINDEX1', 'latin1');
const VERSION = 1;
const SECTIONS_AT = 80;

export type SectionName =
  | 'offsets'
  | 'times'
  | 'lanes'
  | 'positions'
  | 'idHashes'
  | 'idOrdinals'
  | `${Dimension}.hashes`
  | `${Dimension}.starts`
  | `${Dimension}.ordinals`
  | `${PatternDimension}.values`;

/** In the order of the section table. */
export const SECTION_NAMES: readonly SectionName[] = [
  'offsets',
  'times',
  'lanes',
  'positions',
  'idHashes',
  'idOrdinals',
  ...DIMENSIONS.filter((name) => name !== LATE_DIMENSION).flatMap(sectionsOf),
  ...PATTERN_DIMENSIONS.map((name) => `${name}.values` as const),
  ...sectionsOf(LATE_DIMENSION),
];

function sectionsOf(name: Dimension): SectionName[] {
  return [`${name}.hashes`, `${name}.starts`, `${name}.ordinals`];
}

export interface Section {
  readonly offset: number;
  readonly bytes: number;
}

export interface IndexHeader {
  readonly count: number;
  readonly segmentId: SegmentId;
  readonly segmentBytes: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly idSeed: number;
  readonly dataBytes: number;
  readonly sections: ReadonlyMap<SectionName, Section>;
}

export const pagesOf = (dataBytes: number): number => Math.ceil(dataBytes / PAGE_BYTES);
/** Where the data begin: behind the header and the page CRCs. */
export const dataStart = (pages: number): number => INDEX_HEADER_BYTES + Math.ceil((pages * 4) / 8) * 8;

/** Header and page CRCs, as they stand before the data. */
export function encodeIndexHead(header: IndexHeader, pageChecksums: Uint32Array): Buffer {
  const bytes = Buffer.alloc(dataStart(pageChecksums.length));
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint16(8, VERSION, true);
  view.setUint32(12, header.count, true);
  bytes.set(Buffer.from(header.segmentId, 'hex'), 16);
  writeU64(view, 24, header.segmentBytes);
  writeU64(view, 32, header.firstPosition);
  writeU64(view, 40, header.lastPosition);
  writeU64(view, 48, header.firstAtMs);
  writeU64(view, 56, header.lastAtMs);
  view.setUint32(64, header.idSeed, true);
  view.setUint32(68, pageChecksums.length, true);
  for (let page = 0; page < pageChecksums.length; page++) {
    view.setUint32(INDEX_HEADER_BYTES + page * 4, pageChecksums[page]!, true);
  }
  view.setUint32(72, checksum(bytes, INDEX_HEADER_BYTES, bytes.length), true);
  view.setUint32(76, header.dataBytes, true);
  for (const [index, name] of SECTION_NAMES.entries()) {
    const section = header.sections.get(name)!;
    view.setUint32(SECTIONS_AT + index * 8, section.offset, true);
    view.setUint32(SECTIONS_AT + index * 8 + 4, section.bytes, true);
  }
  view.setUint32(508, checksum(bytes, 0, 508), true);
  return bytes;
}

/** The header alone, or `undefined` when it is damaged. Throws `unsupported_format`. */
export function decodeIndexHeader(bytes: Buffer): IndexHeader | undefined {
  if (bytes.length < INDEX_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(508, true) !== checksum(bytes, 0, 508) || Buffer.compare(bytes.subarray(0, 8), MAGIC) !== 0)
    return undefined;
  assertVersion(view.getUint16(8, true), VERSION, 'index');
  const sections = new Map<SectionName, Section>();
  for (const [index, name] of SECTION_NAMES.entries()) {
    const at = SECTIONS_AT + index * 8;
    sections.set(name, { offset: view.getUint32(at, true), bytes: view.getUint32(at + 4, true) });
  }
  return {
    count: view.getUint32(12, true),
    segmentId: bytes.toString('hex', 16, 24),
    segmentBytes: readU64(view, 24),
    firstPosition: readU64(view, 32),
    lastPosition: readU64(view, 40),
    firstAtMs: readU64(view, 48),
    lastAtMs: readU64(view, 56),
    idSeed: view.getUint32(64, true),
    dataBytes: view.getUint32(76, true),
    sections,
  };
}

/** The page CRCs behind a verified header, or `undefined` when they are damaged. */
export function decodePageChecksums(header: Buffer, table: Buffer): Uint32Array | undefined {
  const view = viewOf(header);
  const pages = view.getUint32(68, true);
  if (table.length !== dataStart(pages) - INDEX_HEADER_BYTES) return undefined;
  if (checksum(table, 0, table.length) !== view.getUint32(72, true)) return undefined;
  return Uint32Array.from({ length: pages }, (_, page) => table.readUInt32LE(page * 4));
}
