import type { JsonObject } from '@event-manager/core';
import { expect, it } from 'vitest';
import { DELIVERED, failure } from './local-queue-receiver.ts';
import { everySecond, type StartRig } from './local-queue-rig.ts';
import { sampleId } from './sample-event.ts';

/** Deliveries that failed: what is kept of them, how often they are tried, and when they are not tried any more. */
export function retryConformance(start: StartRig): void {
  whatIsKept(start);
  whenItEnds(start);
}

function whatIsKept(start: StartRig): void {
  it('lets the floor pass a delivery that is retried, and keeps its number, failures and errors', async () => {
    const rig = await start({ options: { retryPolicy: everySecond(10) } });
    rig.receiver.answer = ({ id, attempt }) => (id === sampleId(0) ? failure(`no ${attempt}`) : DELIVERED);
    const [stubborn] = await rig.publish(6);
    await rig.elapse(1_500);
    await rig.restart();
    const [position] = await rig.positionOf([stubborn!.id]);
    const { lanes, owed } = await rig.records();
    expect(lanes[2]!.scanned).toBeGreaterThanOrEqual(position! + 5);
    expect([...owed.keys()]).toEqual([position]);
    expect(owed.get(position!)).toMatchObject({ lane: 2, attempt: 2, failures: 2, started: false });
    const errors = owed.get(position!)!['errors'] as readonly JsonObject[];
    expect(errors).toMatchObject([
      { attempt: 1, code: 'http_503', message: 'no 1' },
      { attempt: 2, code: 'http_503', message: 'no 2' },
    ]);
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    expect(rig.receiver.attemptsOf(stubborn!.id)).toEqual([1, 2, 3]);
    expect((await rig.records()).owed.size).toBe(0);
  });

  it('goes on with the wait that was left, not with a new one', async () => {
    const rig = await start();
    rig.receiver.answer = () => ({ ...failure('later'), afterMs: 60_000 });
    await rig.publish(1);
    await rig.elapse(30_000);
    await rig.restart();
    rig.receiver.answer = () => DELIVERED;
    await rig.elapse(25_000);
    expect(rig.receiver.seen).toHaveLength(1);
    await rig.elapse(6_000);
    expect(rig.receiver.seen).toHaveLength(2);
  });
}

function whenItEnds(start: StartRig): void {
  it('gives as many retries as the publisher wrote, else as the subscription says', async () => {
    const rig = await start({ options: { retryPolicy: everySecond(2) } });
    rig.receiver.answer = () => failure('never');
    const given = [0, 4, undefined];
    for (const maxRetries of given) await rig.publish(1, maxRetries === undefined ? {} : { metadata: { maxRetries } });
    await rig.elapse(1_500);
    await rig.restart();
    await rig.settled();
    const ids = [...rig.acknowledged.keys()];
    expect(ids.map((id) => rig.receiver.attemptsOf(id).length)).toEqual([1, 5, 3]);
    expect((await rig.records()).letters.map(({ eventId, attempts }) => [eventId, attempts])).toEqual([
      [ids[0], 1],
      [ids[1], 5],
      [ids[2], 3],
    ]);
  });

  it('spends no retry on a receiver that asks for a pause', async () => {
    const rig = await start({ options: { retryPolicy: everySecond(0) } });
    rig.receiver.answer = ({ attempt }) => (attempt <= 3 ? { status: 'busy', afterMs: 2_000 } : DELIVERED);
    const [event] = await rig.publish(1);
    await rig.elapse(3_000);
    await rig.restart();
    await rig.settled();
    expect(rig.receiver.attemptsOf(event!.id)).toEqual([1, 2, 3, 4]);
    expect((await rig.records()).letters).toEqual([]);
  });

  it('does not attempt what expired, neither for the first time nor again', async () => {
    const rig = await start({ options: { retryPolicy: everySecond(100) } });
    rig.receiver.answer = () => failure('no');
    const expiresAt = rig.time.wallMs() + 10_000;
    const [tried] = await rig.publish(1, { metadata: { expiresAt } });
    await rig.until(() => rig.receiver.seen.length === 1);
    await rig.pause();
    const [untried] = await rig.publish(1, { metadata: { expiresAt } });
    const [lasting] = await rig.publish(1);
    await rig.elapse(11_000);
    await rig.restart();
    rig.receiver.answer = () => DELIVERED;
    await rig.resume();
    await rig.settled();
    expect(rig.status.counts).toMatchObject({ expired: 2, delivered: 1 });
    expect(rig.receiver.ids()).toEqual([tried!.id, lasting!.id]);
    expect(rig.receiver.attemptsOf(untried!.id)).toEqual([]);
    const { owed, letters } = await rig.records();
    expect([owed.size, letters]).toEqual([0, []]);
  });
}
