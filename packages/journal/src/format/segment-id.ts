import { crc32 } from 'node:zlib';
import type { Chance } from '@event-manager/core';

/** 64 random bits as 16 hexadecimal digits: they name a segment and seed its checksums. */
export type SegmentId = string;

export const NO_SEGMENT: SegmentId = '0000000000000000';

export function newSegmentId(chance: Chance): SegmentId {
  const bytes = new Uint8Array(8);
  chance.fill(bytes);
  const id = Buffer.from(bytes).toString('hex');
  return id === NO_SEGMENT ? newSegmentId(chance) : id;
}

/**
 * What the checksums of a segment start from. Bytes that an older segment left in a reused disk block verify under its
 * seed, never under ours.
 */
export function segmentSeed(id: SegmentId): number {
  return crc32(Buffer.from(id, 'hex'));
}
