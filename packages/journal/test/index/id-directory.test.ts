import { SeededChance } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { NO_SEGMENT } from '../../src/format/segment-id.ts';
import { ActiveIndex } from '../../src/index/active-index.ts';
import { IdDirectory } from '../../src/index/id-directory.ts';
import { Segment } from '../../src/log/segment.ts';

function segmentNumber(n: number): Segment {
  const header = {
    id: `${n}`.padStart(16, '0'),
    idSeed: 0,
    first: n,
    follows: n - 1,
    replaces: NO_SEGMENT,
    createdAtMs: 0,
  };
  return new Segment(`segment ${n}`, header, new ActiveIndex(0), n, 0);
}

function randomHashes(chance: SeededChance, count: number): Uint32Array {
  const hashes = new Uint32Array(count);
  chance.fill(new Uint8Array(hashes.buffer));
  return hashes.sort();
}

it('names the segment of every id, over several generations, and rarely a wrong one', () => {
  const chance = new SeededChance(1);
  const directory = new IdDirectory();
  const segments = Array.from({ length: 20 }, (_, n) => ({
    segment: segmentNumber(n + 1),
    hashes: randomHashes(chance, 100_000),
  }));
  for (const { segment, hashes } of segments)
    for (const _ of directory.add(segment, hashes, 1_000_000)) expect.unreachable();
  for (const { segment, hashes } of segments) {
    for (let index = 0; index < hashes.length; index += 97)
      expect(directory.candidates(hashes[index]!)).toContain(segment);
  }
  const strangers = randomHashes(chance, 20_000);
  const wrong = strangers.filter((hash) => directory.candidates(hash) !== undefined).length;
  // Two million hashes of 32 bits: one stranger in 2,147 looks known.
  expect(wrong).toBeLessThan(40);
  expect(directory.memoryBytes).toBe(2 * 8 * 1024 * 1024);
});

it('forgets segments that were removed', () => {
  const directory = new IdDirectory();
  const [gone, kept] = [segmentNumber(1), segmentNumber(2)];
  [...directory.add(gone, Uint32Array.of(5, 6), 1_000)].length;
  [...directory.add(kept, Uint32Array.of(6, 7), 1_000)].length;
  directory.remove(gone);
  expect(directory.candidates(5)).toBeUndefined();
  expect(directory.candidates(6)).toEqual([kept]);
});
