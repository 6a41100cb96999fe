import { describe, expect, it } from 'vitest';
import { LocalQueue } from '../../src/dispatch/local-queue.ts';
import { SettledRanges } from '../../src/dispatch/settled-ranges.ts';

/** If this grew with the number of settled events, one hanging delivery would make every commit rewrite a large record. */
it('the progress record stays small behind a delivery that hangs', () => {
  const keys = { progress: 'p', owedPrefix: 'p/', owed: (position: number) => `p/${position}` };
  const sizes = { inFlightMax: 100_000, laneEntriesMax: 100_000, owedMax: 10 };
  const queue = new LocalQueue(0, { keys, durable: true, ...sizes });
  const lane = queue.lanes[2]!;
  lane.scanned(0, 0, 0);
  for (let position = 1; position <= 20_000; position++) lane.offer(position);
  queue.claimWaiting(2);
  for (let count = 2; count <= 20_000; count++) queue.settleFinal(queue.claimWaiting(2));
  const [progress] = queue.snapshot(20_000, false).changes;
  expect((progress!.value as { lanes: unknown[][] }).lanes[2]![2]).toEqual([[2, 20_000]]);
});

describe('settled ranges', () => {
  it('hold what was appended and added, in order, and forget what the floor has passed', () => {
    const ranges = new SettledRanges();
    ranges.append([5, 9]);
    ranges.append([20, 20]);
    ranges.add(12);
    ranges.add(7);
    expect(ranges.above(0)).toEqual([
      [5, 9],
      [12, 12],
      [20, 20],
    ]);
    expect([4, 5, 9, 10, 12, 20].map((position) => ranges.has(position))).toEqual([
      false,
      true,
      true,
      false,
      true,
      true,
    ]);
    ranges.dropThrough(9);
    expect(ranges.above(0)).toEqual([
      [12, 12],
      [20, 20],
    ]);
  });
});
