import { expect, it } from 'vitest';
import { OrderedKeys } from '../../../src/dispatch/order/ordered-keys.ts';

it('reserves first attempts of a range anew when the last commit failed: it may be durable, and reserves none', () => {
  const keys = new OrderedKeys({
    ...{ meaning: 'topic', parksDead: false, goesOnAfterFailure: false, durable: true, prefix: 's/0/' },
    ...{ heldMax: 10, knownMax: 10, blockedMax: 10 },
  });
  const entry = keys.begin('a', 1);
  keys.append(entry, 2);
  keys.append(entry, 3);
  keys.settled(entry);
  keys.reserve(entry);
  keys.committed(keys.snapshot(false));
  expect(keys.isReserved(entry)).toBe(true);
  const last = keys.snapshot(true);
  expect(last.changes).toMatchObject([{ value: { from: 2, through: 3, tried: 0 } }]);
  keys.notCommitted(last);
  expect([keys.lines.first(false), keys.isReserved(entry)]).toEqual([entry, false]);
});

it('heeds a release of what the key was parked for, and none that came too late', () => {
  const parked = { atMs: 1, deadLetterId: 'later' };
  const record = { key: 'a', meaning: 'topic', from: 2, through: 3, count: 2, tried: 0, parked };
  const parkedAfter = (deadLetterId?: string) => {
    const keys = new OrderedKeys({
      ...{ meaning: 'topic', parksDead: true, goesOnAfterFailure: false, durable: true, prefix: 's/0/' },
      ...{ heldMax: 10, knownMax: 10, blockedMax: 10 },
    });
    const release = { key: 'a', meaning: 'topic', ...(deadLetterId === undefined ? {} : { deadLetterId }) };
    keys.recover({ records: [record], released: [release] }, [], 10);
    // It goes with the next commit in any case.
    expect(keys.snapshot(false).changes.filter(({ value }) => value === undefined)).toHaveLength(1);
    return keys.parkedCount;
  };
  expect([parkedAfter('later'), parkedAfter('earlier'), parkedAfter()]).toEqual([0, 1, 0]);
});
