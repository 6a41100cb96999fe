import type { Recorded } from '@event-manager/core';
import { expect, it } from 'vitest';
import { stretches } from '../../src/move/stretches.ts';

const at = (position: number) => ({ place: { partition: 0, position } }) as Recorded;

/** As text: `3 4`, `(5-9)`. */
function told(after: number, positions: readonly number[], scannedTo: number, lost?: readonly [number, number]) {
  const range = lost === undefined ? {} : { lost: { from: lost[0], through: lost[1], cause: 'damaged' } as const };
  const page = { records: positions.map(at), scannedTo, ...range };
  return [...stretches(after, page)].map((stretch) =>
    'events' in stretch
      ? stretch.events.map(({ place }) => place.position).join(' ')
      : `(${stretch.unused.from}-${stretch.unused.through})`,
  );
}

it('names what lies between events and was not lost', () => {
  expect(told(2, [3, 4, 5], 5)).toEqual(['3 4 5']);
  expect(told(0, [3, 4, 9], 12)).toEqual(['(1-2)', '3 4', '(5-8)', '9', '(10-12)']);
  expect(told(0, [], 7)).toEqual(['(1-7)']);
  expect(told(7, [], 7)).toEqual([]);
});

it('leaves out what was lost, wherever it lies', () => {
  expect(told(0, [1, 9], 9, [2, 8])).toEqual(['1 9']);
  expect(told(0, [1, 9], 9, [2, 4])).toEqual(['1', '(5-8)', '9']);
  expect(told(0, [1, 9], 9, [5, 8])).toEqual(['1', '(2-4)', '9']);
  expect(told(0, [1, 9], 9, [4, 5])).toEqual(['1', '(2-3)', '(6-8)', '9']);
  expect(told(0, [1, 4, 9], 9, [2, 3])).toEqual(['1 4', '(5-8)', '9']);
  expect(told(3, [], 8, [1, 8])).toEqual([]);
});
