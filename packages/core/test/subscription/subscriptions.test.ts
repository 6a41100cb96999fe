import {
  ANONYMOUS,
  type EventHandler,
  encodeCursor,
  type HandlerResult,
  type JsonObject,
  type SubscribeRequest,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, fixedRetry, openMemory, sinkOf } from '../open-engine.ts';

const FAILED: HandlerResult = { success: false, error: 'not now' };

/** Collects the numbers of the payloads, each with its attempt when that is not the first. */
function collecting(answer: (n: number, attempt: number) => ReturnType<EventHandler> = () => undefined) {
  const seen: (number | string)[] = [];
  const handler: EventHandler = (event, { attempt }) => {
    const n = event.payload['n'] as number;
    seen.push(attempt === 1 ? n : `${n}#${attempt}`);
    return answer(n, attempt);
  };
  return { seen, handler };
}

function update(bus: EngineUnderTest, id: string, changes: JsonObject) {
  return bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, changes));
}

describe('subscribe', () => {
  it('owes every event acknowledged after it resolved, and none from before', async () => {
    const { open } = durableWorld();
    const bus = await open();
    await bus.publishMany(3);
    const { seen, handler } = collecting();
    await bus.subscribe({ name: 's', handler });
    await bus.publishMany(2, 4);
    await bus.settled();
    expect(seen).toEqual([4, 5]);
  });

  const starts: [string, (cursors: string[], timesMs: number[]) => unknown, number[]][] = [
    ['earliest', () => 'earliest', [1, 2, 3, 4]],
    ['latest', () => 'latest', []],
    ['behind a cursor', (cursors) => ({ cursor: cursors[1] }), [3, 4]],
    ['behind a cursor ahead of the log', () => ({ cursor: encodeCursor([{ partition: 0, position: 99 }]) }), []],
    ['at a time', (_, timesMs) => ({ time: timesMs[2] }), [3, 4]],
    ['at a time to come', (_, timesMs) => ({ time: timesMs[3]! + 1_000_000 }), []],
  ];
  for (const name of ['named', undefined]) {
    for (const [what, startFrom, expected] of starts) {
      it(`${name ?? 'without a name'}: starts ${what}`, async () => {
        const { time, open } = durableWorld();
        const bus = await open();
        const cursors: string[] = [];
        const timesMs: number[] = [];
        for (const n of [1, 2, 3, 4]) {
          await time.advance(1_000);
          timesMs.push(time.wallMs());
          cursors.push((await bus.publish({ payload: { n } })).cursor);
        }
        const { seen, handler } = collecting();
        const options = { startFrom: startFrom(cursors, timesMs) };
        await bus.subscribe({ ...(name ? { name } : {}), handler, options });
        await bus.settled();
        expect(seen).toEqual(expected);
        await bus.publish({ payload: { n: 5 } });
        await bus.settled();
        expect(seen).toEqual([...expected, 5]);
      });
    }
  }

  it('under a name that belongs to another definition is a conflict, and changes nothing', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await bus.subscribe({ name: 's', topic: 'a.*', handler: () => {} });
    const others: Partial<SubscribeRequest>[] = [
      { topic: 'b.*' },
      { topic: 'a.*', filter: { types: ['x'] } },
      { topic: 'a.*', options: { timeoutMs: 1 } },
    ];
    for (const other of others) {
      await expect(bus.subscribe({ name: 's', handler: () => {}, ...other })).rejects.toMatchObject({
        code: 'subscription_conflict',
      });
    }
    expect(bus.engine.subscriptions.get(ANONYMOUS, id).topic).toBe('a.*');
  });

  it('under the same name with the same definition attaches after a restart, wherever it says to start', async () => {
    const { open } = durableWorld();
    const first = await open();
    const { id } = await first.subscribe({ name: 's', handler: () => {} });
    await first.close();
    const second = await open();
    const again = await second.subscribe({ name: 's', handler: () => {}, options: { startFrom: 'earliest' } });
    expect(again.id).toBe(id);
  });

  it('refuses more subscriptions than the limit', async () => {
    const bus = await openMemory({ limits: { subscriptionsMax: 1 } });
    await bus.subscribe({ handler: () => {} });
    await expect(bus.subscribe({ handler: () => {} })).rejects.toMatchObject({ code: 'too_many_subscriptions' });
  });

  it('refuses definitions that are more than all together may be, new or grown, and takes smaller ones', async () => {
    const bus = await openMemory({ limits: { subscriptionsCharactersMax: 4_000 } });
    const filterOf = (characters: number) => ({ payload: { text: 'x'.repeat(characters) } });
    const { id } = await bus.subscribe({ name: 'one', filter: filterOf(2_000) });
    const refused = { code: 'too_many_subscriptions', details: { limit: 'subscriptionsCharactersMax' } };
    await expect(bus.subscribe({ name: 'two', filter: filterOf(2_000) })).rejects.toMatchObject(refused);
    const update = (characters: number) =>
      bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { filter: filterOf(characters) }));
    await expect(update(4_000)).rejects.toMatchObject(refused);
    await update(100);
    await bus.subscribe({ name: 'two', filter: filterOf(2_000) });
    await expect(update(2_000)).rejects.toMatchObject(refused);
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await bus.subscribe({ name: 'three' });
  });

  it('refuses what cannot be served: nothing to deliver to and no name to ask by, a webhook without a way out', async () => {
    const bus = await openMemory();
    await expect(bus.subscribe({})).rejects.toMatchObject({
      code: 'invalid_subscription',
      details: { pointer: '/name' },
    });
    await expect(bus.subscribe({ endpoint: 'https://a.example/' })).rejects.toMatchObject({ code: 'not_supported' });
  });

  it('lists in the order of creation, gets one, and says what is not there', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    for (const name of ['z', 'a', 'm']) {
      await time.advance(10);
      await bus.subscribe({ name, handler: () => {} });
    }
    expect(bus.engine.subscriptions.list(ANONYMOUS).map(({ name }) => name)).toEqual(['z', 'a', 'm']);
    expect(() => bus.engine.subscriptions.get(ANONYMOUS, 'nobody')).toThrow(
      expect.objectContaining({ code: 'subscription_not_found' }),
    );
  });
});

describe('pause and resume', () => {
  it('deliver nothing in between and lose nothing, for a named and for an unnamed subscription', async () => {
    for (const name of ['s', undefined]) {
      const { open } = durableWorld();
      const bus = await open();
      const { seen, handler } = collecting();
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler });
      await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
      await bus.publishMany(3);
      await bus.time.advance(10_000);
      expect(seen).toEqual([]);
      await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
      await bus.settled();
      expect(seen).toEqual([1, 2, 3]);
    }
  });

  it('survive a restart', async () => {
    const { open } = durableWorld();
    const first = await open();
    const { id } = await first.subscribe({ name: 's', handler: () => {} });
    await first.time.run(first.engine.subscriptions.pause(ANONYMOUS, id));
    await first.publishMany(1);
    await first.close();
    const second = await open();
    const { seen, handler } = collecting();
    await second.subscribe({ name: 's', handler });
    await second.time.advance(10_000);
    expect(seen).toEqual([]);
    await second.time.run(second.engine.subscriptions.resume(ANONYMOUS, id));
    await second.settled();
    expect(seen).toEqual([1]);
  });

  it('pausing lets a publisher go on that waits for the first attempt', async () => {
    const bus = await openMemory();
    const ends: (() => void)[] = [];
    const { id } = await bus.subscribe({ handler: () => new Promise<void>((resolve) => ends.push(resolve)) });
    const underWay = bus.engine.publish(ANONYMOUS, anEvent());
    const waiting = bus.engine.publish(ANONYMOUS, anEvent());
    await bus.time.settle();
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.time.run(waiting);
    ends[0]!();
    await bus.time.run(underWay);
  });
});

describe('update', () => {
  it('replaces a field whatever spelling it comes in, and keeps the others', async () => {
    const bus = await openMemory();
    const filter = { types: ['a'] };
    const { id } = await bus.subscribe({ handler: () => {}, filter, options: { deadLetterTopic: 'dead' } });
    const options = { retryPolicy: { maxRetries: 7 }, timeout: 5_000 };
    const changed = await update(bus, id, { filters: { types: ['b'] }, options });
    expect(changed).toMatchObject({
      filter: { types: ['b'] },
      options: { retry: { maxRetries: 7 }, timeoutMs: 5_000, deadLetterTopic: 'dead' },
    });
    expect(await update(bus, id, { topic: 'c' })).toMatchObject({ topic: 'c', options: { timeoutMs: 5_000 } });
  });

  it('refuses another name, another kind of receiver, and what subscribe refuses, and changes nothing', async () => {
    const bus = await openMemory({ webhookSink: () => sinkOf((batch) => batch.map(() => ({ status: 'delivered' }))) });
    const { id } = await bus.subscribe({ handler: () => {} });
    const refused: [JsonObject, string][] = [
      [{ name: 'other' }, 'invalid_subscription'],
      [{ topic: 'a//b' }, 'invalid_pattern'],
      [{ nonsense: 1 }, 'invalid_subscription'],
      [{ options: { batchSize: 0 } }, 'invalid_subscription'],
    ];
    for (const [changes, code] of refused) await expect(update(bus, id, changes)).rejects.toMatchObject({ code });
    expect(bus.engine.subscriptions.get(ANONYMOUS, id)).toMatchObject({ topic: '#' });
  });

  it('withdraws what is owed and does not match any more, and delivers what does', async () => {
    const { open } = durableWorld();
    const bus = await open();
    let broken = true;
    const { seen, handler } = collecting(() => (broken ? FAILED : undefined));
    const { id } = await bus.subscribe({ name: 's', handler, options: { retryPolicy: fixedRetry(50) } });
    await bus.publish({ payload: { n: 1 }, type: 'a' });
    await bus.publish({ payload: { n: 2 }, type: 'b' });
    broken = false;
    await update(bus, id, { filter: { types: ['b'] } });
    await bus.settled();
    expect(seen).toEqual([1, 2, '2#2']);
    expect(bus.status(id).counts).toMatchObject({ withdrawn: 1, delivered: 1 });
  });

  for (const name of ['named', undefined]) {
    const kind = name ?? 'without a name';

    const narrowings: [string, JsonObject][] = [
      ['topic', { topic: 'b.#' }],
      ['priority', { options: { priority: 'HIGH' } }],
    ];
    for (const [what, changes] of narrowings) {
      it(`${kind}: of the ${what} withdraws what is owed and not asked for any more`, async () => {
        const bus = await openMemory();
        const { seen, handler } = collecting((_n, attempt) => (attempt === 1 ? FAILED : undefined));
        const options = { retryPolicy: fixedRetry(3) };
        const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler, options });
        await bus.publish({ payload: { n: 1 }, topic: 'a/x', priority: 'LOW' });
        await bus.publish({ payload: { n: 2 }, topic: 'b/x', priority: 'HIGH' });
        await update(bus, id, changes);
        await bus.settled();
        expect(seen).toEqual([1, 2, '2#2']);
        expect(bus.status(id).counts).toMatchObject({ withdrawn: 1, delivered: 1 });
      });
    }

    it(`${kind}: keeps what waits for a retry, with its attempts, and delivers nothing twice`, async () => {
      const bus = await openMemory();
      const { seen, handler } = collecting((n, attempt) => (n === 1 && attempt < 3 ? FAILED : undefined));
      const options = { retryPolicy: fixedRetry(3) };
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler, options });
      await bus.publishMany(3);
      await update(bus, id, { options: { timeoutMs: 999 } });
      await bus.settled();
      expect(seen).toEqual([1, 2, 3, '1#2', '1#3']);
    });

    it(`${kind}: delivers nothing again of a lane that is ahead of another`, async () => {
      const bus = await openMemory();
      let end = () => {};
      const { seen, handler } = collecting((n) =>
        n === 1 ? new Promise<void>((resolve) => (end = resolve)) : undefined,
      );
      const options = { maxConcurrency: 2 };
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler, options });
      void bus.engine.publish(ANONYMOUS, anEvent({ payload: { n: 1 } }));
      await bus.time.settle();
      await bus.publish({ payload: { n: 2 }, priority: 'CRITICAL' });
      const updating = bus.engine.subscriptions.update(ANONYMOUS, id, { options: { timeoutMs: 99_000 } });
      await bus.time.settle();
      end();
      await bus.time.run(updating);
      await bus.settled();
      expect(seen).toEqual([1, 2]);
    });

    it(`${kind}: loses nothing that is published while an attempt under way ends`, async () => {
      const { time, open } = durableWorld();
      const bus = await open();
      let end = () => {};
      const { seen, handler } = collecting((n) =>
        n === 1 ? new Promise<void>((resolve) => (end = resolve)) : undefined,
      );
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler });
      await bus.publishMany(1);
      const updating = bus.engine.subscriptions.update(ANONYMOUS, id, { options: { timeoutMs: 999 } });
      await time.advance(100);
      await bus.publishMany(3, 2);
      end();
      await time.run(updating);
      await bus.settled();
      expect(seen).toEqual([1, 2, 3, 4]);
    });
  }

  it('again and again leaves nothing of the queues before behind', async () => {
    const bus = await openMemory();
    const options = { retryPolicy: fixedRetry(3, 3_600_000) };
    const { id } = await bus.subscribe({ name: 's', handler: () => FAILED, options });
    await bus.publishMany(20);
    for (let n = 1; n <= 10; n++) await update(bus, id, { options: { timeoutMs: 1_000 + n } });
    expect(bus.engine.memory().timetable).toBe(20);
  });

  it('and pause at the same time both take effect', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    const { subscriptions } = bus.engine;
    const changes = [subscriptions.update(ANONYMOUS, id, { topic: 'a' }), subscriptions.pause(ANONYMOUS, id)];
    await bus.time.run(Promise.all(changes));
    expect(subscriptions.get(ANONYMOUS, id)).toMatchObject({ topic: 'a', state: 'paused' });
    const more = [subscriptions.resume(ANONYMOUS, id), subscriptions.update(ANONYMOUS, id, { topic: 'b' })];
    await bus.time.run(Promise.all(more));
    expect(subscriptions.get(ANONYMOUS, id)).toMatchObject({ topic: 'b', state: 'active' });
  });
});

describe('unsubscribe', () => {
  it('ends delivery, forgets what is owed, and keeps dead letters', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    const { seen, handler } = collecting((n) => (n === 1 ? { ...FAILED, retry: false } : FAILED));
    const { id } = await bus.subscribe({ name: 's', handler, options: { retryPolicy: fixedRetry(9) } });
    await bus.publishMany(2);
    await bus.time.advance(500);
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await bus.publishMany(1, 3);
    await bus.time.advance(60_000);
    expect(seen).toEqual([1, 2]);
    for (const kind of ['subscription', 'progress', 'owed'] as const) {
      expect((await kept.kept.state.load(kind, { limit: 10 })).entries).toEqual([]);
    }
    expect(await bus.deadLetters(id)).toHaveLength(1);
  });

  it('cut short by a crash leaves no debt to a later subscription of the same name', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    const options = { retryPolicy: fixedRetry(100) };
    const { id } = await bus.subscribe({ name: 's', handler: () => FAILED, options });
    await bus.publishMany(3);
    await bus.time.advance(500);
    let removed = false;
    kept.interfere = async (call, [changes]) => {
      if (call !== 'commit') return;
      if (removed) bus.crash();
      removed = (changes as { kind: string }[]).some((change) => change.kind === 'subscription');
    };
    void bus.engine.subscriptions.unsubscribe(ANONYMOUS, id);
    await bus.time.advance(500);
    kept.interfere = () => {};
    expect((await kept.kept.state.load('owed', { limit: 10 })).entries).toHaveLength(3);
    const again = await open();
    expect(again.engine.subscriptions.list(ANONYMOUS)).toEqual([]);
    const { seen, handler } = collecting();
    await again.subscribe({ name: 's', handler });
    await again.settled();
    expect(seen).toEqual([]);
  });

  it('twice is told', async () => {
    const bus = await openMemory();
    const { id } = await bus.subscribe({ handler: () => {} });
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    const second = bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await expect(second).rejects.toMatchObject({ code: 'subscription_not_found' });
  });
});

describe('detach', () => {
  it('leaves a named subscription that goes on being owed', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const first = collecting();
    const { id } = await bus.subscribe({ name: 's', handler: first.handler });
    await bus.publishMany(1);
    await bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, id));
    await bus.publishMany(2, 2);
    const second = collecting();
    await bus.subscribe({ name: 's', handler: second.handler });
    await bus.settled();
    expect([first.seen, second.seen]).toEqual([[1], [2, 3]]);
  });
});
