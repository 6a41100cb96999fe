import { describe, expect, it } from 'vitest';
import { Aging } from '../../../src/dispatch/pace/aging.ts';
import type { Lane } from '../../../src/event/priority.ts';

/** The lanes that are served in so many turns, with these ages of the first event of each; absent where nothing waits. */
function turns(count: number, ages: readonly (number | undefined)[]): Lane[] {
  const hasWork = (lane: Lane) => ages[lane] !== undefined;
  const aging = new Aging(1_000, { hasWork, ageMs: (lane) => ages[lane]! });
  const first = ages.findIndex((age) => age !== undefined) as Lane;
  return Array.from({ length: count }, () => {
    const lane = aging.next(first);
    expect(aging.next(first)).toBe(lane);
    aging.took(lane);
    return lane;
  });
}

describe('aging', () => {
  it('changes nothing while nothing has waited for long', () => {
    expect(turns(4, [0, 500, 999, 999])).toEqual([0, 0, 0, 0]);
    expect(turns(3, [undefined, 5, 999, 1_999])).toEqual([1, 1, 1]);
  });

  it('gives every fourth place to what counts as urgent by its age', () => {
    expect(turns(9, [undefined, 0, undefined, 2_000])).toEqual([3, 1, 1, 1, 3, 1, 1, 1, 3]);
    expect(turns(5, [0, undefined, undefined, 3_000])).toEqual([3, 0, 0, 0, 3]);
  });

  it('counts one lane for each time that it waited, and no more', () => {
    expect(turns(2, [0, undefined, undefined, 2_999])).toEqual([0, 0]);
    expect(turns(2, [undefined, undefined, 0, 1_000])).toEqual([3, 2]);
    expect(turns(2, [undefined, 0, undefined, 1_999])).toEqual([1, 1]);
  });

  it('lets the lanes that grew old take turns: an old flood in one does not starve another', () => {
    expect(turns(13, [undefined, 0, 90_000, 3_000])).toEqual([2, 1, 1, 1, 3, 1, 1, 1, 2, 1, 1, 1, 3]);
  });
});
