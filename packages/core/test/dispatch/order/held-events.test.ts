import { expect, it } from 'vitest';
import { LaneQueue } from '../../../src/dispatch/lane-queue.ts';
import { OrderedKeys } from '../../../src/dispatch/order/ordered-keys.ts';

it('lets out what is held with a look at the keys that have some, however many others wait', () => {
  const keys = new OrderedKeys({
    ...{ meaning: 'topic', parksDead: false, goesOnAfterFailure: false, durable: true, prefix: 's/0/' },
    ...{ heldMax: 10, knownMax: 10, blockedMax: 10 },
  });
  const lane = new LaneQueue(0, 100);
  lane.scanned(0, 0, 0);
  for (let position = 1; position <= 6; position++) lane.offer(position);
  const [first, others] = ['a', 'b'].map((key) => {
    const entry = keys.begin(key, lane.peek()!);
    lane.claim();
    return entry;
  });
  const hold = () => {
    const position = lane.peek()!;
    keys.held.hold(first!, lane.hold(), position);
  };
  hold();
  hold();
  expect([...keys.held.entries]).toEqual([first]);
  // Walked on every event that came while a lane was long: ten thousand keys for one that was held.
  expect(others!.held).toEqual([]);
  keys.spill(lane);
  expect([[...keys.held.entries], keys.held.count, keys.waitingCount]).toEqual([[], 0, 2]);
  expect([first!.known, lane.settledAboveFloor()]).toEqual([[3, 4], [[3, 4]]]);
  hold();
  keys.settled(first!);
  expect(keys.claimTurn(first!, lane)).toMatchObject({ position: 5 });
  expect([...keys.held.entries]).toEqual([]);
});
