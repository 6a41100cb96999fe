import { describe, expect, it } from 'vitest';
import { ReadAhead } from '../../../src/dispatch/pace/read-ahead.ts';

const BYTES = 600;

/** Positions from `first` on, as many as are wanted. */
function wanted(readAhead: ReadAhead, first: number): number[] {
  return Array.from({ length: readAhead.size }, (_, at) => first + at);
}

describe('reading ahead', () => {
  it('doubles while whoever asks comes back soon for more', () => {
    const readAhead = new ReadAhead();
    const sizes: number[] = [];
    let next = 1;
    for (let nowMs = 0; nowMs < 8; nowMs++) {
      const positions = wanted(readAhead, next);
      readAhead.asked(positions, nowMs, BYTES);
      next += positions.length;
      sizes.push(positions.length);
    }
    expect(sizes).toEqual([8, 8, 16, 32, 64, 128, 128, 128]);
  });

  it('begins anew for one that takes its time: it must not take the room of others', () => {
    const readAhead = new ReadAhead();
    for (let at = 0; at < 5; at++) readAhead.asked(wanted(readAhead, 1 + at * 1_000), at, BYTES);
    readAhead.asked(wanted(readAhead, 9_000), 1_000, BYTES);
    expect(readAhead.size).toBe(8);
  });

  it('begins anew when what was read is gone before it was used', () => {
    const readAhead = new ReadAhead();
    for (let at = 0; at < 5; at++) readAhead.asked(wanted(readAhead, 1 + at * 1_000), at, BYTES);
    readAhead.asked(wanted(readAhead, 4_001 + 3), 6, BYTES);
    expect(readAhead.size).toBe(8);
  });

  it('reads few at once where they are large', () => {
    const readAhead = new ReadAhead();
    for (let at = 0; at < 8; at++) readAhead.asked(wanted(readAhead, 1 + at * 1_000), at, 64 * 1024);
    expect(readAhead.size).toBe(16);
    readAhead.asked(wanted(readAhead, 90_000), 9, 1024 * 1024);
    expect(readAhead.size).toBe(8);
  });
});
