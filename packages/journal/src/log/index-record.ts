import { decodeNames, type RecordHeader } from '../format/record.ts';
import type { ActiveIndex } from '../index/active-index.ts';
import { hashId } from '../index/hash.ts';

const ids = new Uint32Array(4);

/** Enters a record read from a file into an index; `at` is its offset in `bytes`, `offset` its offset in the segment. */
export function indexRecord(index: ActiveIndex, bytes: Buffer, at: number, header: RecordHeader, offset: number): void {
  for (let word = 0; word < 4; word++) ids[word] = bytes.readUInt32BE(at + 24 + word * 4);
  index.add({
    position: header.position,
    recordedAtMs: header.recordedAtMs,
    lane: header.lane,
    offset,
    ids,
    idAt: 0,
    idHash: hashId(ids, 0, index.idSeed),
    names: decodeNames(bytes, at, header),
  });
}
