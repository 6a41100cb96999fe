import { expect, it } from 'vitest';
import { deadLetterKey, positionKey } from '../../src/dispatch/dead-letter.ts';
import { positionNamedBy } from '../../src/dispatch/position-named-by.ts';

const ID = '01923456-789a-7000-8000-000000000001';
const none = () => null;

it('reads the positions that the engine writes into keys and progress, and nothing that was only reserved', () => {
  expect(positionNamedBy('dead-letter', deadLetterKey(ID, { partition: 0, position: 42 }, 3), none)).toBe(42);
  expect(positionNamedBy('owed', `${ID}/0/${positionKey(7)}`, none)).toBe(7);
  const lanes = [
    [5, 900, []],
    [
      3,
      900,
      [
        [6, 6],
        [8, 11],
      ],
    ],
    [0, 0, []],
    [4, 4, []],
  ];
  expect(positionNamedBy('progress', `${ID}/0`, () => ({ lanes }))).toBe(11);
  expect(positionNamedBy('subscription', ID, none)).toBe(0);
});

it('takes no proof from records of another shape', () => {
  for (const value of [null, 1, 'x', [], {}, { lanes: 5 }, { lanes: [5, [], ['9'], [1e300], [2, 2, 'x']] }]) {
    expect(positionNamedBy('progress', 'counter', () => value)).toBeLessThanOrEqual(2);
  }
  expect(positionNamedBy('owed', 'a/0/9999999999999999', none)).toBe(0);
  expect(positionNamedBy('dead-letter', 'x', none)).toBe(0);
});
