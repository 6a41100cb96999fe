import type { DeliveryCounts } from '@event-manager/core';
import { expect, it } from 'vitest';
import { expectConserved } from './local-queue-ledger.ts';
import { DELIVERED, failure, rejection } from './local-queue-receiver.ts';
import { everySecond, type QueueRig, type StartRig } from './local-queue-rig.ts';
import type { ConformanceHarness } from './subject.ts';

const IN_FLIGHT_MAX = 8;

/** Every acknowledged match ends in exactly one way, and is counted there. */
export function conservationConformance({ supports }: ConformanceHarness, start: StartRig): void {
  it('counts every acknowledged match once, in the way it ended', async () => {
    const rig = await start({
      filter: { sources: ['conformance', 'withdrawn'] },
      options: { inFlightMax: IN_FLIGHT_MAX, retryPolicy: everySecond(50) },
    });
    const tally = new Tally(rig);
    rig.receiver.answer = ({ position }) => [DELIVERED, rejection('never'), failure('later')][position % 3]!;
    await rig.publish(30);
    await rig.publish(4, { source: 'unwanted' });
    await rig.publish(9, { source: 'withdrawn' });
    await rig.publish(3, { metadata: { expiresAt: rig.time.wallMs() - 1 } });
    await rig.elapse(500);
    tally.add();
    await rig.restart();
    tally.expectComplete();
    await rig.run(
      rig.engine.subscriptions.update({ id: 'test', kind: 'service' }, rig.id, {
        filter: { sources: ['conformance'] },
      }),
    );
    await rig.elapse(2_000);
    tally.add();
    await rig.restart();
    tally.expectComplete();
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    tally.expectComplete();
    tally.add();
    expect(tally.sum).toEqual({ delivered: 23, deadLettered: 13, expired: 3, skipped: 4, withdrawn: 3, removed: 0 });
    expect((await rig.records()).letters).toHaveLength(tally.sum.deadLettered);
  });

  it.runIf(supports.trim)('counts a debt whose event was removed from the log', async () => {
    const rig = await start({ limits: { queueMaxSize: 1 }, options: { retryPolicy: everySecond(50) } });
    rig.receiver.answer = () => failure('later');
    const sent = await rig.publish(3);
    await rig.elapse(500);
    await rig.restart();
    const [second] = await rig.positionOf([sent[1]!.id]);
    await rig.subject.store.trim([{ partition: 0, position: second! }]);
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    expect(rig.status.counts).toMatchObject({ removed: 2, delivered: 1 });
    expect(rig.receiver.attemptsOf(sent[2]!.id)).toEqual([1, 2]);
    expect((await rig.records()).owed.size).toBe(0);
  });

  it('agrees with what is durable, at any moment and after any end', async () => {
    const rig = await start({ filter: { sources: ['conformance'] }, options: { inFlightMax: IN_FLIGHT_MAX } });
    rig.receiver.answer = ({ position, attempt }) =>
      [DELIVERED, rejection('never'), attempt < 3 ? failure('later') : DELIVERED][position % 3]!;
    for (let round = 0; round < 5; round++) {
      await rig.publish(12);
      await rig.publish(2, { source: 'unwanted' });
      await rig.elapse(60 * round);
      await expectConserved(rig, IN_FLIGHT_MAX);
      await rig.restart();
      await expectConserved(rig, IN_FLIGHT_MAX);
    }
    await rig.settled();
    const ledger = await expectConserved(rig, IN_FLIGHT_MAX);
    expect([ledger.waiting, ledger.owed]).toEqual([[], []]);
  });
}

const ENDS = ['delivered', 'deadLettered', 'expired', 'skipped', 'withdrawn', 'removed'] as const;

/** Counts live as long as the engine that counts; this adds them up over clean restarts. */
class Tally {
  readonly sum: Record<(typeof ENDS)[number], number>;
  readonly #rig: QueueRig;

  constructor(rig: QueueRig) {
    this.#rig = rig;
    this.sum = { delivered: 0, deadLettered: 0, expired: 0, skipped: 0, withdrawn: 0, removed: 0 };
  }

  /** Takes over the counts of the engine that is about to end. */
  add(): void {
    for (const end of ENDS) this.sum[end] += this.#counts[end];
  }

  expectComplete(): void {
    const { waiting, inFlight, owed } = this.#rig.status;
    let accounted = waiting + inFlight + owed;
    for (const end of ENDS) accounted += this.sum[end] + this.#counts[end];
    expect(accounted).toBe(this.#rig.acknowledged.size);
  }

  get #counts(): Readonly<DeliveryCounts> {
    return this.#rig.status.counts;
  }
}
