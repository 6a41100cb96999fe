import type { DeliverOptions, Delivery, Outcome, Sink } from '@event-manager/core';
import { sampleEvent } from '@event-manager/testing/conformance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Members } from '../../src/sink/members.ts';

interface Call extends DeliverOptions {
  isUnderWay: boolean;
}

/** Takes calls and answers none: the test ends them. */
class Receiver {
  readonly calls: Call[] = [];
  closes = 0;
  readonly sink: Sink;

  constructor(single?: boolean) {
    this.sink = {
      ...(single === undefined ? {} : { single }),
      deliver: (_batch, options) => {
        this.calls.push(options as Call);
        return new Promise<Outcome[]>(() => {});
      },
      close: async () => void this.closes++,
    };
  }

  get load(): number {
    return this.calls.filter(({ isUnderWay }) => isUnderWay).length;
  }
}

/** The engine's side: the attempts that are under way, and the sink it was handed last. */
class Rig {
  readonly underWay = new Set<Call>();
  readonly members = new Members<Receiver>(() => this.underWay);
  #sink: Sink | undefined;

  join(receiver = new Receiver()): Receiver {
    this.members.join(receiver);
    this.#sink = this.members.wayOut();
    return receiver;
  }

  leave(receiver: Receiver): readonly unknown[] {
    const calls = this.members.leave(receiver);
    if (this.members.isUp) this.#sink = this.members.wayOut();
    return calls;
  }

  deliver(): Call {
    const call: Call = { signal: new AbortController().signal, deadlineAtMs: 0, isUnderWay: true };
    this.underWay.add(call);
    this.#sink!.deliver([aDelivery()], call);
    return call;
  }

  end(call: Call): void {
    call.isUnderWay = false;
    this.underWay.delete(call);
  }
}

function aDelivery(): Delivery {
  const record = { ...sampleEvent(1), place: { partition: 0, position: 1 }, recordedAtMs: 1 };
  return { record, subscriptionId: 's', attempt: 1 };
}

describe('members of a subscription', () => {
  it('share in turn what is answered at once', () => {
    const rig = new Rig();
    const all = [rig.join(), rig.join(), rig.join()];
    for (let n = 0; n < 9; n++) rig.end(rig.deliver());
    expect(all.map(({ calls }) => calls.length)).toEqual([3, 3, 3]);
  });

  it('leave a slow one alone with what it has', () => {
    const rig = new Rig();
    const [slow, fast] = [rig.join(), rig.join()];
    for (let n = 0; n < 20; n++) {
      const call = rig.deliver();
      if (fast.calls.includes(call)) rig.end(call);
    }
    expect(slow.load).toBe(1);
    expect(fast.calls).toHaveLength(19);
  });

  it('are not called at all while there is only one: the engine is handed its own sink', () => {
    const rig = new Rig();
    const first = rig.join();
    expect(rig.members.wayOut()).toBe(first.sink);
    const second = rig.join();
    expect(rig.members.wayOut()).toBe(rig.members);
    rig.leave(first);
    expect(rig.members.wayOut()).toBe(second.sink);
  });

  it('know what the one that was alone has when it leaves after others joined', () => {
    const rig = new Rig();
    const first = rig.join();
    const [ended, ...kept] = [rig.deliver(), rig.deliver(), rig.deliver()];
    rig.end(ended!);
    const second = rig.join();
    const later = [rig.deliver(), rig.deliver()];
    expect(later.every((call) => second.calls.includes(call))).toBe(true);
    expect(rig.leave(first)).toEqual(kept);
    expect(rig.leave(second)).toEqual(later);
  });

  it('do not take what one left behind for that of the last one', () => {
    const rig = new Rig();
    const [first, second] = [rig.join(), rig.join()];
    const [a, b] = [rig.deliver(), rig.deliver()];
    expect(rig.leave(first)).toEqual([a]);
    rig.join();
    expect(rig.leave(second)).toEqual([b]);
  });

  it('ask for a moment when nobody is there, or nobody who is there is up', async () => {
    const members = new Members<Receiver>(() => []);
    const call = { signal: new AbortController().signal, deadlineAtMs: 0 };
    expect(await members.deliver([aDelivery()], call)).toEqual([{ status: 'busy', afterMs: 100 }]);
    expect(members.isUp).toBe(false);
    const lost = new Receiver(true);
    members.join({ ...lost, sink: { ...lost.sink, isUp: false } } as never);
    expect(await members.deliver([aDelivery()], call)).toEqual([{ status: 'busy', afterMs: 100 }]);
    expect(lost.calls).toEqual([]);
  });

  it('leave out one that is lost and was not told so yet', () => {
    const rig = new Rig();
    const [lost, other] = [rig.join(), rig.join()];
    Object.assign(lost.sink, { isUp: false });
    for (let n = 0; n < 4; n++) rig.deliver();
    expect([lost.calls.length, other.calls.length]).toEqual([0, 4]);
  });

  it('take one delivery in a call as soon as one of them does', () => {
    const rig = new Rig();
    rig.join();
    const one = rig.join(new Receiver(true));
    expect(rig.members.single).toBe(true);
    rig.leave(one);
    expect(rig.members.single).toBe(false);
  });

  it('are all closed', async () => {
    const rig = new Rig();
    const all = [rig.join(), rig.join()];
    await rig.members.close();
    expect(all.map(({ closes }) => closes)).toEqual([1, 1]);
  });

  it('share every load evenly, whoever joins, leaves and answers', () => {
    const command = fc.oneof(
      { weight: 5, arbitrary: fc.constant({ do: 'deliver' as const, at: 0 }) },
      { weight: 4, arbitrary: fc.nat().map((at) => ({ do: 'end' as const, at })) },
      { weight: 1, arbitrary: fc.constant({ do: 'join' as const, at: 0 }) },
      { weight: 1, arbitrary: fc.nat().map((at) => ({ do: 'leave' as const, at })) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const rig = new Rig();
        const present = [rig.join()];
        for (const { do: what, at } of commands) {
          if (what === 'deliver') {
            const least = Math.min(...present.map(({ load }) => load));
            const call = rig.deliver();
            const taker = present.find(({ calls }) => calls.includes(call))!;
            expect(taker.load).toBe(least + 1);
          } else if (what === 'end' && rig.underWay.size > 0) {
            rig.end([...rig.underWay][at % rig.underWay.size]!);
          } else if (what === 'join' && present.length < 5) {
            present.push(rig.join());
          } else if (what === 'leave' && present.length > 1) {
            const [left] = present.splice(at % present.length, 1);
            const had = left!.calls.filter(({ isUnderWay }) => isUnderWay);
            expect(new Set(rig.leave(left!))).toEqual(new Set(had));
            // Some leave with their calls going on for a while.
            if (at % 2 === 0) for (const call of had) rig.end(call);
          }
        }
      }),
    );
  });
});
