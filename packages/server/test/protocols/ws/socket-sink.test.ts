import type { Recorded } from '@event-manager/core';
import { retainedBytes, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { Deliveries } from '../../../src/protocols/ws/deliveries.ts';
import type { Outbox } from '../../../src/protocols/ws/outbox.ts';
import { SocketSink } from '../../../src/protocols/ws/socket-sink.ts';

const KIB = 1024;
const COUNT = 2_000;

/** An outbox whose peer takes everything and never answers. */
const outbox = { isFull: false, isClosed: false, send() {} } as unknown as Outbox;

function record(position: number): Recorded {
  return { place: { partition: 0, position }, body: Buffer.alloc(16 * KIB, '1') } as unknown as Recorded;
}

it('holds no event of a delivery that nobody waits for any more, however long the client keeps silent', async () => {
  const time = new VirtualTime();
  const deliveries = new Deliveries(time);
  const sink = new SocketSink({ outbox, deliveries, clock: time, timers: time, onLost: () => {} });
  sink.open('s');
  const before = retainedBytes();
  const { signal } = new AbortController();
  for (let position = 1; position <= COUNT; position++) {
    const batch = [{ record: record(position), subscriptionId: 's', attempt: 1 }];
    void sink.deliver(batch, { signal, deadlineAtMs: time.monotonicMs() + 1_000 });
  }
  expect(deliveries.size).toBe(COUNT);
  await time.advance(3_600_000);
  deliveries.sweep();
  expect(deliveries.size).toBe(0);
  // All of them are thirty times as much.
  await expect.poll(() => retainedBytes() - before, { timeout: 10_000 }).toBeLessThan(KIB * KIB);
  void sink.close();
});

it('hands the rest of a large batch over when there is room again, and gives back what had none in time', async () => {
  const time = new VirtualTime();
  const frames: { readonly deliveries: readonly { readonly delivery: number }[] }[] = [];
  const narrow = { isFull: false, isClosed: false };
  let free = () => {};
  const send = (frame: Buffer) => {
    frames.push(JSON.parse(frame.toString()));
    narrow.isFull = true;
  };
  const drained = () => {
    return new Promise((resolve) => {
      free = () => {
        narrow.isFull = false;
        resolve(true);
      };
    });
  };
  const deliveries = new Deliveries(time);
  const sink = new SocketSink({
    outbox: Object.assign(narrow, { send, drained }) as unknown as Outbox,
    deliveries,
    clock: time,
    timers: time,
    onLost: () => {},
  });
  sink.open('s');
  const batch = Array.from({ length: 48 }, (_, index) => ({
    record: record(index + 1),
    subscriptionId: 's',
    attempt: 1,
  }));
  const { signal } = new AbortController();
  const outcomes = sink.deliver(batch, { signal, deadlineAtMs: time.monotonicMs() + 1_000 });
  // A frame holds sixteen of them; whoever wrote all at once would be cut for what waits.
  expect(frames.map((frame) => frame.deliveries.length)).toEqual([16]);
  free();
  await expect.poll(() => frames.length).toBe(2);
  deliveries.ack(Array.from({ length: 32 }, (_, index) => index + 1));
  // Before the engine counts them as failed: nobody has seen them.
  await time.advance(999);
  const statuses = (await outcomes).map((outcome) => outcome.status);
  expect(statuses).toEqual([...Array(32).fill('delivered'), ...Array(16).fill('release')]);
  expect(frames.length).toBe(2);
  await sink.close();
});

it('holds what comes after the goodbye of its peer, says that it is lost, and gives it back when it is given up', async () => {
  const time = new VirtualTime();
  const deliveries = new Deliveries(time);
  let losses = 0;
  const state = { isFull: false, isClosed: false, send() {}, drained: async () => false };
  const sink = new SocketSink({
    outbox: state as unknown as Outbox,
    deliveries,
    clock: time,
    timers: time,
    onLost: () => losses++,
  });
  sink.open('s');
  const options = { signal: new AbortController().signal, deadlineAtMs: time.monotonicMs() + 1_000 };
  const deliver = (position: number) =>
    sink.deliver([{ record: record(position), subscriptionId: 's', attempt: 1 }], options);
  const sent = deliver(1);
  state.isClosed = true;
  const held = deliver(2);
  expect([losses, sink.isUp, deliveries.size]).toEqual([1, false, 1]);
  sink.giveUp();
  expect(await Promise.all([sent, held, deliver(3)])).toEqual(Array(3).fill([{ status: 'release' }]));
  expect(deliveries.size).toBe(0);
});
