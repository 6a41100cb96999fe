import { Buffer } from 'node:buffer';
import type { Lane } from '@event-manager/core';
import { expect, it } from 'vitest';
import { failure } from './local-queue-receiver.ts';
import type { StartRig } from './local-queue-rig.ts';

/** What is owed from when on, in which order it comes, and that no limit of memory loses any of it. */
export function orderConformance(start: StartRig): void {
  whatIsOwed(start);
  inWhichOrder(start);
  withWhichBytes(start);
}

function whatIsOwed(start: StartRig): void {
  it('owes every event acknowledged after subscribe until it is settled, and none from before', async () => {
    const rig = await start();
    rig.receiver.answer = () => failure('not yet');
    const before = await rig.publish(1, { topic: 'elsewhere' });
    const sent = await rig.publish(3);
    await rig.elapse(500);
    await rig.restart();
    expect([...(await rig.records()).owed.values()].map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    rig.receiver.answer = () => ({ status: 'delivered' });
    await rig.settled();
    expect([...rig.receiver.delivered.keys()].toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
    expect(rig.receiver.ids()).not.toContain(before[0]!.id);
    expect((await rig.records()).owed.size).toBe(0);
  });

  it('starts behind what was in the log when subscribe was called', async () => {
    const rig = await start();
    const early = await rig.publish(2, { topic: 'queue2/early' });
    const subscribe = rig.engine.subscriptions.subscribe(
      { id: 'test', kind: 'service' },
      { topic: 'queue2/#', name: 'second', endpoint: 'https://second.example/' },
    );
    await rig.run(subscribe);
    const late = await rig.publish(2, { topic: 'queue2/late' });
    await rig.restart();
    await rig.settled();
    expect(rig.receiver.ids().toSorted()).toEqual(late.map(({ id }) => id).toSorted());
    expect(rig.receiver.ids()).not.toContain(early[0]!.id);
  });
}

function inWhichOrder(start: StartRig): void {
  it('delivers CRITICAL before HIGH before NORMAL before LOW, and in a lane in the order of the log', async () => {
    const rig = await start();
    await rig.pause();
    const lanes: Lane[] = [3, 2, 0, 1, 2, 0, 3, 1, 0];
    for (const priority of lanes) await rig.publish(1, { priority });
    const sent = [...rig.acknowledged.values()];
    await rig.restart();
    await rig.resume();
    await rig.settled();
    const expected = sent.toSorted((a, b) => a.lane - b.lane).map(({ id }) => id);
    expect(rig.receiver.ids()).toEqual(expected);
  });

  it('reads back what overflows its lanes: each event once, in order', async () => {
    const rig = await start({ limits: { laneEntriesMax: 8 }, options: { inFlightMax: 4 } });
    await rig.pause();
    const sent: string[] = [];
    for (let at = 0; at < 10; at++) {
      for (const { id } of await rig.publish(10, { priority: 2 })) sent.push(id);
      await rig.publish(2, { priority: 1 });
    }
    expect(rig.status.waiting).toBeLessThanOrEqual(16);
    await rig.restart();
    await rig.resume();
    await rig.settled();
    expect(rig.receiver.seen.filter(({ lane }) => lane === 2).map(({ id }) => id)).toEqual(sent);
    expect(rig.receiver.seen.map(({ attempt }) => attempt)).toEqual(new Array(120).fill(1));
    expect(new Set(rig.receiver.ids()).size).toBe(120);
  });

  it('reads back events that arrive while the lane is overflowed and is being read', async () => {
    const rig = await start({ limits: { laneEntriesMax: 4 }, options: { inFlightMax: 2 } });
    rig.receiver.answer = async () => {
      await rig.time.wait(10);
      return { status: 'delivered' };
    };
    const sent: string[] = [];
    for (let at = 0; at < 20; at++) {
      for (const { id } of await rig.publish(3)) sent.push(id);
      await rig.elapse(10);
    }
    await rig.restart();
    await rig.settled();
    expect(rig.receiver.ids()).toEqual(sent);
  });
}

function withWhichBytes(start: StartRig): void {
  it('reads back bodies that memory had no room for, byte for byte', async () => {
    const rig = await start({ limits: { queueMaxSize: 4, queueBytesMax: 2_000 } });
    await rig.pause();
    const payloads = Array.from({ length: 40 }, (_, n) => ({
      n,
      text: '日本Ü\u2028 '.repeat(n),
      deep: [[{ n }], null],
    }));
    for (const payload of payloads) await rig.publish(1, { payload });
    expect(rig.engine.memory().bodies).toBeLessThanOrEqual(4);
    await rig.restart();
    await rig.resume();
    await rig.settled();
    expect(rig.receiver.seen).toHaveLength(40);
    for (const { id, body } of rig.receiver.seen) expect(Buffer.compare(body, rig.appended.get(id)!)).toBe(0);
  });
}
