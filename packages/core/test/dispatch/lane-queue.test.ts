import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LaneQueue } from '../../src/dispatch/lane-queue.ts';

function liveLane(entriesMax = 100): LaneQueue {
  const lane = new LaneQueue(0, entriesMax);
  lane.scanned(0, 0, 0);
  return lane;
}

describe('a lane of one subscription', () => {
  it('begins in reading and goes live once its cursor has reached the routed head', () => {
    const lane = new LaneQueue(3, 10);
    expect(lane.state).toBe('reading');
    lane.scanned(3, 5, 7);
    expect([lane.state, lane.cursor]).toEqual(['reading', 5]);
    lane.scanned(5, 7, 7);
    expect(lane.state).toBe('live');
  });

  it('takes no live offer while it reads: the scan will bring the event', () => {
    const lane = new LaneQueue(0, 10);
    lane.offer(1);
    expect(lane.waiting).toBe(0);
  });

  it('claims in the order of offering', () => {
    const lane = liveLane();
    for (const position of [4, 7, 9]) lane.offer(position);
    const claimed: unknown[] = [];
    while (lane.waiting > 0) {
      claimed.push(lane.peek());
      lane.claim();
    }
    expect(claimed).toEqual([4, 7, 9]);
  });

  it('overflows when it is full and remembers from where to read back', () => {
    const lane = liveLane(2);
    for (const position of [10, 20, 30, 40]) lane.offer(position);
    expect([lane.state, lane.cursor, [...lane.waitingPositions()]]).toEqual(['overflowed', 29, [10, 20]]);
  });

  it('asks to be read back only when half of it is empty', () => {
    const lane = liveLane(4);
    for (const position of [1, 2, 3, 4, 5]) lane.offer(position);
    lane.settle(lane.claim());
    expect(lane.wantsReading).toBe(false);
    lane.settle(lane.claim());
    expect(lane.wantsReading).toBe(true);
  });

  it('stops reading when the scan has filled it, and keeps the cursor at the last event taken', () => {
    const lane = new LaneQueue(0, 2);
    for (const position of [1, 2, 3]) lane.offerRead(position);
    expect([lane.state, lane.cursor, lane.waiting]).toEqual(['overflowed', 2, 2]);
    lane.scanned(0, 3, 3);
    expect([lane.state, lane.cursor]).toEqual(['overflowed', 2]);
  });

  it('refuses an event of a scan that began ahead of its cursor: those in between would be jumped over', () => {
    const lane = new LaneQueue(5, 10);
    expect([lane.wantsRead(9, 8), lane.wantsRead(9, 5), lane.wantsRead(5, 3)]).toEqual([false, true, false]);
  });

  it('has its floor just below the oldest event that is not settled, and names what is settled above it', () => {
    const lane = liveLane();
    for (const position of [2, 4, 6]) lane.offer(position);
    const slots = [lane.claim(), lane.claim()];
    lane.settle(slots[1]!);
    expect([lane.floor(6), lane.settledAboveFloor()]).toEqual([1, [[4, 4]]]);
    lane.settle(slots[0]!);
    expect([lane.floor(6), lane.settledAboveFloor()]).toEqual([5, []]);
  });

  it('has the routed head as floor when it is live and empty', () => {
    expect(liveLane().floor(12)).toBe(12);
  });

  it('ignores a live offer of what an earlier owner had settled already', () => {
    const lane = new LaneQueue(9, 10);
    lane.scanned(9, 9, 3);
    lane.offer(8);
    expect([lane.state, lane.waiting]).toEqual(['live', 0]);
  });

  it('tells a programming mistake at once: claiming nothing, settling twice, reading while live', () => {
    const lane = liveLane();
    expect(() => lane.claim()).toThrow(TypeError);
    lane.offer(1);
    const slot = lane.claim();
    lane.settle(slot);
    expect(() => lane.settle(slot)).toThrow(TypeError);
    expect(() => lane.beginReading()).toThrow(TypeError);
  });

  it('behaves as a plain list does, through any sequence of offers, claims and settlements', () => {
    const step = fc.record({
      kind: fc.constantFrom('offer', 'offer', 'claim', 'settle'),
      pick: fc.nat(1_000),
      skip: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const lane = liveLane(1_000);
        const list: { position: number; slot: number; state: 'waiting' | 'claimed' | 'settled' }[] = [];
        let head = 0;
        for (const { kind, pick, skip } of steps) {
          if (kind === 'offer') {
            head += skip;
            lane.offer(head);
            list.push({ position: head, slot: -1, state: 'waiting' });
          } else if (kind === 'claim') {
            const next = list.find((entry) => entry.state === 'waiting');
            expect(lane.peek()).toBe(next?.position);
            if (next) Object.assign(next, { slot: lane.claim(), state: 'claimed' });
          } else {
            const claimed = list.filter((entry) => entry.state === 'claimed');
            const chosen = claimed[pick % Math.max(1, claimed.length)];
            if (!chosen) continue;
            lane.settle(chosen.slot);
            chosen.state = 'settled';
          }
          const oldest = list.findIndex((entry) => entry.state !== 'settled');
          const open = oldest < 0 ? [] : list.slice(oldest);
          expect(lane.floor(head)).toBe(oldest < 0 ? head : list[oldest]!.position - 1);
          const settled = open.filter((entry) => entry.state === 'settled').map((entry) => entry.position);
          const isSettled = (position: number) =>
            lane.settledAboveFloor().some(([a, b]) => a <= position && position <= b);
          expect(open.map((entry) => entry.position).filter(isSettled)).toEqual(settled);
          const waiting = list.filter((entry) => entry.state === 'waiting').map((entry) => entry.position);
          expect([...lane.waitingPositions()]).toEqual(waiting);
          expect(lane.peekAhead(2)).toBe(waiting[2]);
        }
      }),
    );
  });
});

describe('a held position', () => {
  function filled(): LaneQueue {
    const lane = new LaneQueue(0, 100);
    lane.scanned(0, 0, 0);
    for (const position of [1, 2, 3, 4]) lane.offer(position);
    return lane;
  }

  it('keeps the floor while later ones are claimed and settled', () => {
    const lane = filled();
    const first = lane.claim();
    const held = lane.hold();
    const third = lane.claim();
    lane.settle(third);
    lane.settle(first);
    expect([lane.floor(9), lane.settledAboveFloor()]).toEqual([1, [[3, 3]]]);
    expect([...lane.waitingPositions()]).toEqual([2, 4]);
    lane.claimHeld(held);
    lane.settle(held);
    expect([lane.floor(9), lane.span]).toEqual([3, 1]);
  });

  it('lets the floor go on when another record owes it', () => {
    const lane = filled();
    const held = lane.hold();
    lane.settle(lane.claim());
    lane.letOut(held);
    expect([lane.floor(9), lane.waiting]).toEqual([2, 2]);
  });

  it('is neither claimed twice nor settled without a claim', () => {
    const lane = filled();
    const held = lane.hold();
    expect(() => lane.settle(held)).toThrow(TypeError);
    lane.claimHeld(held);
    expect(() => lane.claimHeld(held)).toThrow(TypeError);
  });
});
