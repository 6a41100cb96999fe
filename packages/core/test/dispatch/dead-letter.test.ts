import { decodeEvent, type Event, type EventHandler, EventManagerError } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, openMemory, type SetUp } from '../open-engine.ts';

const ID = '0198c1f0-0000-7000-8000-000000000001';

const refusing: EventHandler = () => ({ success: false, error: new RangeError('never'), retry: false });

async function worldWithDeadLetterTopic(setUp: SetUp = {}) {
  const world = durableWorld();
  const bus = await world.open(setUp);
  const options = { deadLetterTopic: 'dead/orders' };
  const { id } = await bus.subscribe({ name: 'orders', handler: refusing, options });
  return { ...world, bus, id, options };
}

describe('a dead letter', () => {
  it('keeps the bytes of the event, the place, every error and the reason', async () => {
    const { bus, id, kept, time } = await worldWithDeadLetterTopic();
    await bus.publish({ id: ID, payload: { n: 1 } });
    await bus.settled();
    const [letter] = await bus.deadLetters(id);
    const [record] = await kept.kept.store.get([ID]);
    expect(letter).toMatchObject({
      state: 'open',
      subscriptionId: id,
      eventId: ID,
      place: { partition: 0, position: 1 },
      round: 0,
      attempts: 1,
      reason: 'RangeError: never',
      errors: [{ attempt: 1, code: 'handler_error', message: 'RangeError: never' }],
    });
    expect(letter!.event).toBe(Buffer.from(record!.body).toString());
    expect(letter!.deadAtMs).toBeLessThanOrEqual(time.wallMs());
  });

  it('is in the same commit as the settlement: no commit has one without the other', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    const { id } = await bus.subscribe({ name: 'orders', handler: refusing });
    await bus.publishMany(5);
    await bus.settled();
    let letters = 0;
    for (const { call, args } of kept.calls) {
      if (call !== 'commit') continue;
      const changes = args[0] as { kind: string; key: string; value?: { lanes: number[][] } }[];
      letters += changes.filter(({ kind }) => kind === 'dead-letter').length;
      const progress = changes.find(({ kind, key }) => kind === 'progress' && key === `${id}/0`);
      if (progress?.value) expect(progress.value.lanes[2]![0]).toBe(letters);
    }
    expect(letters).toBe(5);
  });

  it('is told of before everything counts as settled, also when the store refuses that at first', async () => {
    const { time, bus, kept } = await worldWithDeadLetterTopic();
    await bus.publish();
    kept.interfere = (call) => {
      if (call === 'append') throw new EventManagerError('disk_full', 'The disk is full.');
    };
    let isSettled = false;
    const settling = bus.engine.settled().then(() => {
      isSettled = true;
    });
    await time.advance(5_000);
    expect([isSettled, bus.engine.health().head]).toEqual([false, 1]);
    kept.interfere = () => {};
    await time.run(settling);
    expect(bus.engine.health().head).toBe(2);
  });

  it('is kept also for a subscription without a name, which ends with its process', async () => {
    const bus = await openMemory();
    const { id } = await bus.subscribe({ handler: refusing });
    await bus.publish();
    await bus.settled();
    expect(await bus.deadLetters(id)).toHaveLength(1);
  });

  it('is listed for one subscription or for all, in the order of positions', async () => {
    const { bus, id } = await worldWithDeadLetterTopic();
    const other = await bus.subscribe({ topic: 'order/#', name: 'other', handler: refusing });
    await bus.publishMany(12);
    await bus.settled();
    const positions = (await bus.deadLetters(other.id)).map((letter) => letter.place.position);
    expect(positions).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    expect(await bus.deadLetters()).toHaveLength(24);
    expect((await bus.deadLetters(id)).every((letter) => letter.subscriptionId === id)).toBe(true);
  });
});

describe('the event under the dead-letter topic', () => {
  it('is the original with the reason in its metadata, caused by it, and never owed to its own subscription', async () => {
    const { bus, id } = await worldWithDeadLetterTopic();
    const seen: Event[] = [];
    await bus.subscribe({ topic: 'dead/#', name: 'undertaker', handler: (event) => void seen.push(event) });
    await bus.publish({ id: ID, payload: { n: 1 }, correlationId: 'c', metadata: { userId: 'u', maxRetries: 0 } });
    await bus.settled();
    const [letter] = await bus.deadLetters(id);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      topic: 'dead/orders',
      type: 'order.created',
      payload: { n: 1 },
      correlationId: 'c',
    });
    expect(seen[0]).toMatchObject({
      causationId: ID,
      metadata: {
        userId: 'u',
        failureReason: 'RangeError: never',
        originalTopic: 'order.created',
        deadLetterId: letter!.id,
      },
    });
    expect(bus.status(id).counts).toMatchObject({ deadLettered: 1, skipped: 1 });
    expect(await bus.deadLetters(id)).toHaveLength(1);
  });

  it('that is refused too ends as a letter alone: two subscriptions must not tell each other for ever', async () => {
    const { bus, id, options } = await worldWithDeadLetterTopic();
    const other = await bus.subscribe({ topic: 'dead/#', name: 'undertaker', handler: refusing, options });
    await bus.publish();
    await bus.time.advance(60_000);
    const letters = [await bus.deadLetters(id), await bus.deadLetters(other.id)].map(({ length }) => length);
    expect([letters, bus.engine.health().head]).toEqual([[1, 1], 2]);
  });

  it('does not hold up a close when the handler that gets it hangs', async () => {
    const bus = await openMemory();
    await bus.subscribe({ topic: 'order.created', handler: refusing, options: { deadLetterTopic: 'dead' } });
    await bus.subscribe({ topic: 'dead', handler: () => new Promise(() => {}) });
    await bus.publish();
    await bus.time.advance(500);
    const beganMs = bus.time.monotonicMs();
    await bus.close({ drainMs: 1_000 });
    expect(bus.time.monotonicMs() - beganMs).toBeLessThanOrEqual(1_000);
  });

  it('is appended once, whenever the process dies between the letter and the removal of its order', async () => {
    for (const dieAt of ['after-letter', 'after-append'] as const) {
      const { bus, open, kept, time } = await worldWithDeadLetterTopic();
      let appends = 0;
      kept.interfere = (call) => {
        if (call === 'append' && ++appends === 2 && dieAt === 'after-letter') bus.crash();
        if (call === 'commit' && appends === 2 && dieAt === 'after-append') bus.crash();
      };
      await bus.publish({ id: ID });
      await time.advance(1_000);
      expect(bus.isAlive).toBe(false);
      kept.interfere = () => {};
      expect((await kept.kept.state.load('schedule', { limit: 9 })).entries).toHaveLength(1);
      const again = await open();
      await time.advance(1_000);
      expect((await kept.kept.state.load('schedule', { limit: 9 })).entries).toEqual([]);
      const { records } = await kept.kept.store.read(0, 0, { limit: 99, bytesMax: 1e9 });
      expect(records.map((record) => decodeEvent(record.body).topic)).toEqual(['order.created', 'dead/orders']);
      await again.close();
    }
  });

  it('waits when the store has no space, and is appended once there is', async () => {
    const { bus, kept, time } = await worldWithDeadLetterTopic();
    await bus.publish();
    let isFull = true;
    kept.interfere = (call) => {
      if (call === 'append' && isFull) throw new EventManagerError('disk_full', 'The disk is full.');
    };
    await time.advance(1_000);
    expect(bus.engine.health().head).toBe(1);
    isFull = false;
    await time.advance(60_000);
    expect(bus.engine.health().head).toBe(2);
  });

  it('is not made of an event of the largest size with less room than it needs', async () => {
    const { bus } = await worldWithDeadLetterTopic({ limits: { eventBytesMax: 2_000 } });
    await bus.publish({ payload: { text: 'x'.repeat(1_700) } });
    await bus.settled();
    expect(bus.engine.health().head).toBe(2);
  });
});
