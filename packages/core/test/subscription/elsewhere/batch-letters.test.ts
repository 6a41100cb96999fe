import type { Delivery } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { LETTER_BYTES_MAX } from '../../../src/contracts/exchange.ts';
import type { Letter } from '../../../src/peers/envelope.ts';
import { type ArrivedBatch, ArrivingBatch, batchLetters } from '../../../src/subscription/elsewhere/batch-letters.ts';

const FIRST = Number.MAX_SAFE_INTEGER - 10_000;

function lettersOf(call: number, count: number): Letter[] {
  const batch = Array.from({ length: count }, (_, at) => {
    return { record: { place: { partition: 0, position: FIRST + at } }, attempt: Number.MAX_SAFE_INTEGER };
  });
  return batchLetters(call, batch as unknown as Delivery[], { subscription: 's'.repeat(300), member: 1 });
}

function arrive(arriving: ArrivingBatch, letters: readonly Letter[]): (ArrivedBatch | undefined)[] {
  return letters.flatMap((letter) => {
    if (letter.kind === 'deliver') return [arriving.whole(letter)];
    arriving.part(letter);
    return [];
  });
}

describe('a batch that fits into no letter', () => {
  it('goes in several, each of which does, and is whole when the last has come', () => {
    const letters = lettersOf(7, 10_000);
    for (const letter of letters) expect(JSON.stringify(letter).length).toBeLessThan(LETTER_BYTES_MAX - 1_024);
    const [whole] = arrive(new ArrivingBatch(), letters);
    expect(whole!.positions).toEqual(Array.from({ length: 10_000 }, (_, at) => FIRST + at));
    expect(whole!.attempts.length).toBe(10_000);
  });

  /** Outcomes are told by their place in the batch: of one with a hole they would be those of other events. */
  it('is not begun when any of them was lost, and the next one is', () => {
    const count = lettersOf(1, 10_000).length;
    for (let lost = 0; lost < count - 1; lost++) {
      const arriving = new ArrivingBatch();
      const letters = lettersOf(1, 10_000).toSpliced(lost, 1);
      expect(arrive(arriving, letters)).toEqual([undefined]);
      expect(arrive(arriving, lettersOf(2, 4_000))[0]!.positions.length).toBe(4_000);
      expect(arrive(arriving, lettersOf(3, 4))[0]!.positions.length).toBe(4);
    }
  });

  it('is the same when letters come twice, and late', () => {
    const letters = lettersOf(1, 4_000);
    const twice = [letters[0]!, letters[0]!, letters[1]!, letters[0]!, letters[1]!, letters[2]!];
    const arriving = new ArrivingBatch();
    expect(arrive(arriving, twice)[0]!.positions.length).toBe(4_000);
    expect(arrive(arriving, [letters[0]!, ...lettersOf(2, 4_000)])[0]!.positions.length).toBe(4_000);
  });
});
