import { aligned } from '../format/align.ts';
import { checksum } from '../format/checksum.ts';
import type { SegmentHeader } from '../format/segment-header.ts';
import type { ActiveIndex } from './active-index.ts';
import { DIMENSIONS, PATTERN_DIMENSIONS } from './dimensions.ts';
import { encodeIndexHead, PAGE_BYTES, pagesOf, SECTION_NAMES, type Section, type SectionName } from './index-format.ts';
import { sortByHash } from './sort-by-hash.ts';

const PAGES_PER_PAUSE = 64;

export interface BuiltIndex {
  /** Header and page CRCs, then the data. */
  readonly chunks: readonly Uint8Array[];
  /** Ascending hashes of all ids, for the directory. */
  readonly idHashes: Uint32Array;
}

/** Turns the index in memory into the bytes of an index file. Yields often, so that the caller may pause between slices. */
export function* buildIndex(
  index: ActiveIndex,
  header: SegmentHeader,
  segmentBytes: number,
): Generator<void, BuiltIndex> {
  const { count } = index;
  const parts = new Map<SectionName, Uint8Array>();
  const put = (name: SectionName, values: Uint32Array | Uint8Array): void => {
    parts.set(name, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  };
  put('offsets', index.offsets.subarray(0, count));
  put('times', index.times.subarray(0, count));
  put('lanes', index.lanes.subarray(0, count));
  const lastPosition = count === 0 ? header.first - 1 : index.positionOf(count - 1);
  // Without holes a position is the first one plus the ordinal, and no section is needed to say so.
  const isDense = count === 0 || lastPosition - index.firstPosition + 1 === count;
  put('positions', isDense ? new Uint32Array(0) : index.positions.subarray(0, count));
  const ids = yield* sortByHash(index.idHashes, count, false);
  put('idHashes', ids.hashes);
  put('idOrdinals', ids.ordinals);
  for (const dimension of DIMENSIONS) {
    const sorted = yield* sortByHash(index.hashes[dimension], count, true);
    const { hashes, starts } = distinct(sorted.hashes);
    put(`${dimension}.hashes`, hashes);
    put(`${dimension}.starts`, starts);
    put(`${dimension}.ordinals`, sorted.ordinals);
    yield;
  }
  for (const dimension of PATTERN_DIMENSIONS) {
    put(`${dimension}.values`, Buffer.from(JSON.stringify([...index.values[dimension].keys()])));
    yield;
  }
  const { data, sections } = joined(parts);
  const pageChecksums = new Uint32Array(pagesOf(data.length));
  for (let page = 0; page < pageChecksums.length; page++) {
    pageChecksums[page] = checksum(data, page * PAGE_BYTES, Math.min(data.length, (page + 1) * PAGE_BYTES));
    if (page % PAGES_PER_PAUSE === 0) yield;
  }
  const head = encodeIndexHead(
    {
      count,
      segmentId: header.id,
      segmentBytes,
      firstPosition: count === 0 ? header.first : index.firstPosition,
      lastPosition,
      firstAtMs: index.firstAtMs,
      lastAtMs: index.lastAtMs,
      idSeed: index.idSeed,
      dataBytes: data.length,
      sections,
    },
    pageChecksums,
  );
  return { chunks: [head, data], idHashes: ids.hashes };
}

function joined(parts: ReadonlyMap<SectionName, Uint8Array>): {
  data: Uint8Array;
  sections: Map<SectionName, Section>;
} {
  const sections = new Map<SectionName, Section>();
  let length = 0;
  for (const name of SECTION_NAMES) {
    const { byteLength } = parts.get(name)!;
    sections.set(name, { offset: length, bytes: byteLength });
    length += aligned(byteLength);
  }
  const data = new Uint8Array(length);
  for (const name of SECTION_NAMES) data.set(parts.get(name)!, sections.get(name)!.offset);
  return { data, sections };
}

/** The different hashes of an ascending column and where each begins in it, with the end as last entry. */
function distinct(sorted: Uint32Array): { hashes: Uint32Array; starts: Uint32Array } {
  const hashes = new Uint32Array(sorted.length);
  const starts = new Uint32Array(sorted.length + 1);
  let count = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index > 0 && sorted[index] === sorted[index - 1]) continue;
    hashes[count] = sorted[index]!;
    starts[count++] = index;
  }
  starts[count] = sorted.length;
  return { hashes: hashes.subarray(0, count), starts: starts.subarray(0, count + 1) };
}
