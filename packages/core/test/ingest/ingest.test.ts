import {
  ANONYMOUS,
  type Appendable,
  Engine,
  EventManagerError,
  memory,
  systemRuntime,
  type Timers,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, openMemory } from '../open-engine.ts';

describe('the way in', () => {
  it('hands everything of one turn to the store in one call, in the order of calling', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    const publishing = [1, 2, 3].map((n) => bus.engine.publish(ANONYMOUS, anEvent({ payload: { n } })));
    publishing.push(
      ...[await time.run(bus.engine.publishBatch(ANONYMOUS, [anEvent()]))].map(async ([result]) => result as never),
    );
    await time.run(Promise.all(publishing));
    const appends = kept.calls.filter(({ call }) => call === 'append').map(({ args }) => args[0] as Appendable[]);
    expect(appends.map((events) => events.length)).toEqual([4]);
    const { records } = await kept.kept.store.read(0, 0, { limit: 9, bytesMax: 1e6 });
    const numbers = records.map((record) => JSON.parse(Buffer.from(record.body).toString()).payload.n);
    expect(numbers).toEqual([1, 2, 3, undefined]);
  });

  it('takes nothing from the caller: what is changed after publish was called is not in the event', async () => {
    const { kept, time, open } = durableWorld();
    const bus = await open();
    const event = { ...anEvent(), payload: { state: 'before' } };
    const publishing = bus.engine.publish(ANONYMOUS, event);
    event.payload.state = 'after';
    const { id } = await time.run(publishing);
    const [record] = await kept.kept.store.get([id]);
    expect(Buffer.from(record!.body).toString()).toContain('before');
  });

  it('gives the loop back while it takes in a large batch that a parser made, and keeps its order', async () => {
    let nowMs = 0;
    const clock = { ...systemRuntime.clock, monotonicMs: () => nowMs++ };
    let turns = 0;
    const timers: Timers = {
      ...systemRuntime.timers,
      soon(run) {
        turns++;
        systemRuntime.timers.soon(run);
      },
    };
    const adapter = memory();
    const engine = await Engine.open({ adapter, runtime: { ...systemRuntime, clock, timers } });
    const batch = Array.from({ length: 300 }, (_, n) => (n === 200 ? {} : anEvent({ payload: { n } })));
    turns = 0;
    const results = await engine.publishBatch(ANONYMOUS, batch, { trusted: true });
    expect(turns).toBeGreaterThan(10);
    expect(results.length).toBe(300);
    expect(results[200]).toMatchObject({ code: 'invalid_event', details: { pointer: '/200/type' } });
    const { records } = await adapter.store.read(0, 0, { limit: 1_000, bytesMax: 1e6 });
    const numbers = records.map((record) => JSON.parse(Buffer.from(record.body).toString()).payload.n);
    expect(numbers).toEqual([...batch.keys()].filter((n) => n !== 200));
    await engine.close();
  });

  it('rejects for what is wrong with the event, never throws', async () => {
    const bus = await openMemory();
    const publishing = bus.engine.publish(ANONYMOUS, null);
    await expect(publishing).rejects.toMatchObject({ code: 'invalid_event', details: { pointer: '' } });
    expect(bus.engine.health().unacknowledged).toBe(0);
  });

  it('answers every caller of a call that the store refused, and counts none as waiting', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    kept.interfere = (call) => {
      if (call === 'append') throw new EventManagerError('disk_full', 'The disk is full.');
    };
    const publishing = [1, 2, 3].map(() => bus.engine.publish(ANONYMOUS, anEvent()));
    const results = await time.run(Promise.allSettled(publishing));
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
    const batch = await time.run(bus.engine.publishBatch(ANONYMOUS, [anEvent(), anEvent()]));
    expect(batch.map((result) => result instanceof EventManagerError && result.code)).toEqual([
      'disk_full',
      'disk_full',
    ]);
    expect(bus.engine.health().unacknowledged).toBe(0);
  });

  it('answers a duplicate inside one call with the place of the first', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const id = '0198c1f0-0000-7000-8000-000000000001';
    const event = anEvent({ id, timestamp: 0 });
    const [first, second] = await time.run(
      Promise.all([bus.engine.publish(ANONYMOUS, event), bus.engine.publish(ANONYMOUS, event)]),
    );
    expect([first.duplicate, second.duplicate, second.cursor === first.cursor]).toEqual([false, true, true]);
  });

  it('never resolves while the append is under way, and routes before the caller hears', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    let resolved = false;
    kept.interfere = (call) => (call === 'append' ? time.wait(100) : undefined);
    const publishing = bus.engine.publish(ANONYMOUS, anEvent()).then(() => {
      resolved = true;
      return bus.engine.health().head;
    });
    await time.advance(99);
    expect(resolved).toBe(false);
    expect(await time.run(publishing)).toBe(1);
  });

  it('gives events made here ids that ascend in the order of publishing', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const results = await time.run(
      Promise.all(Array.from({ length: 50 }, () => bus.engine.publish(ANONYMOUS, anEvent()))),
    );
    const ids = results.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(50);
  });

  it('on memory waits for the first attempt only: a retry goes on without the publisher', async () => {
    const bus = await openMemory();
    const attempts: number[] = [];
    await bus.subscribe({
      handler: (_event, { attempt }) => {
        attempts.push(attempt);
        return { success: attempt > 1 };
      },
    });
    await bus.publish();
    expect(attempts).toEqual([1]);
    await bus.settled();
    expect(attempts).toEqual([1, 2]);
  });

  it('on memory does not wait for a subscription that is unsubscribed or closed meanwhile', async () => {
    for (const end of ['unsubscribe', 'close'] as const) {
      const bus = await openMemory();
      const { id } = await bus.subscribe({ handler: () => new Promise(() => {}) });
      const publishing = [1, 2].map(() => bus.engine.publish(ANONYMOUS, anEvent()));
      await bus.time.settle();
      if (end === 'close') await bus.close();
      else await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
      await bus.time.run(Promise.all(publishing));
    }
  });
});
