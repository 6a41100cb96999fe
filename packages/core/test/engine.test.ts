import {
  ANONYMOUS,
  type BatchResult,
  Engine,
  type EventHandler,
  EventManagerError,
  isEventManagerError,
  memory,
  SYSTEM,
} from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, fixedRetry, openMemory, openOn, runtimeOn, sinkOf } from './open-engine.ts';

const ID = '0198c1f0-0000-7000-8000-000000000001';

function numbers(from: number, through: number): number[] {
  return Array.from({ length: through - from + 1 }, (_, at) => from + at);
}

describe('publish', () => {
  it('resolves at the append on a durable adapter, whatever the handlers do', async () => {
    const { open } = durableWorld();
    const bus = await open();
    await bus.subscribe({ handler: () => new Promise(() => {}) });
    const result = await bus.publish({ id: ID });
    expect(JSON.parse(JSON.stringify(result))).toEqual({ id: ID, cursor: result.cursor, duplicate: false });
  });

  it('on memory resolves after the first attempt of every handler, also of one that fails', async () => {
    const bus = await openMemory();
    const seen: string[] = [];
    await bus.subscribe({
      handler: async () => {
        await bus.time.wait(50);
        seen.push('slow');
      },
    });
    await bus.subscribe({
      handler: () => {
        seen.push('broken');
        throw new Error('no');
      },
    });
    await bus.publish();
    expect(seen.sort()).toEqual(['broken', 'slow']);
  });

  it('inside a handler does not wait for handlers: it would wait for itself', async () => {
    const bus = await openMemory();
    const seen: unknown[] = [];
    await bus.subscribe({
      handler: async (event) => {
        const n = event.payload['n'] as number;
        seen.push(n);
        if (n < 3) await bus.engine.publish(ANONYMOUS, anEvent({ payload: { n: n + 1 } }));
      },
    });
    await bus.publish({ payload: { n: 1 } });
    await bus.settled();
    expect(seen).toEqual([1, 2, 3]);
  });

  it('of the same id and content is a success and a duplicate, delivered once; with other content a conflict', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const seen: string[] = [];
    await bus.subscribe({ handler: (event) => void seen.push(event.id) });
    const timestamp = '2026-01-01T00:00:00Z';
    const first = await bus.publish({ id: ID, timestamp, payload: { a: 1, b: 2 } });
    const again = await bus.publish({ id: ID, timestamp, payload: { b: 2, a: 1 } });
    expect([first.duplicate, again.duplicate, again.cursor === first.cursor]).toEqual([false, true, true]);
    await expect(bus.publish({ id: ID, timestamp, payload: { a: 2 } })).rejects.toMatchObject({ code: 'id_conflict' });
    await bus.settled();
    expect(seen).toEqual([ID]);
  });

  it('that the store refuses acknowledges nothing, and works again when the store does', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    kept.interfere = (call) => {
      if (call === 'append') throw new EventManagerError('disk_full', 'The disk is full.');
    };
    await expect(bus.publish()).rejects.toMatchObject({ code: 'disk_full', retryable: true });
    kept.interfere = () => {};
    await bus.publish();
    expect(bus.engine.health()).toMatchObject({ head: 1, unacknowledged: 0 });
  });

  it('under $sys is refused to everybody but the bus itself', async () => {
    const bus = await openMemory();
    await expect(bus.publish({ topic: '$sys/x' })).rejects.toMatchObject({ code: 'topic_reserved' });
    await bus.time.run(bus.engine.publish(SYSTEM, anEvent({ topic: '$sys/x' })));
  });
});

describe('publishBatch', () => {
  it('stores the good events and has one answer per event, in order', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const inputs = [anEvent({ id: ID }), { source: 'x' }, anEvent({ id: ID }), anEvent({ topic: 'a//b' })];
    const results = await bus.time.run(bus.engine.publishBatch(ANONYMOUS, inputs));
    const told = (result: BatchResult) =>
      isEventManagerError(result) ? [result.code, result.details.pointer] : result.duplicate;
    expect(results.map(told)).toEqual([false, ['invalid_event', '/1/type'], true, ['invalid_topic', '/3/topic']]);
    expect(bus.engine.health().head).toBe(1);
  });

  it('larger than the limit stores nothing', async () => {
    const bus = await openMemory({ limits: { batchEventsMax: 2 } });
    const batch = bus.engine.publishBatch(
      ANONYMOUS,
      [1, 2, 3].map(() => anEvent()),
    );
    await expect(bus.time.run(batch)).rejects.toMatchObject({ code: 'batch_too_large' });
    expect(bus.engine.health().head).toBe(0);
  });
});

describe('back-pressure', () => {
  it('refuses with overloaded and a time to wait while too much waits for the store, and loses nothing acknowledged', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open({ limits: { publishWaitingMax: 5 } });
    kept.interfere = (call) => (call === 'append' ? time.wait(1_000) : undefined);
    const publishing = numbers(1, 8).map((n) => bus.engine.publish(ANONYMOUS, anEvent({ payload: { n } })));
    const results = await time.run(Promise.allSettled(publishing));
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toEqual(
      [6, 7, 8].map(() => expect.objectContaining({ code: 'overloaded', retryable: true, kind: 'limit' })),
    );
    expect(refused[0].details.retryAfterMs).toBeGreaterThan(0);
    expect(bus.engine.health()).toMatchObject({ head: 5, unacknowledged: 0 });
    await bus.publish();
  });

  it('lets a batch larger than the limit in when nothing waits: it could never get in otherwise', async () => {
    const bus = await openMemory({ limits: { publishWaitingMax: 2 } });
    await bus.publishMany(5);
    expect(bus.engine.health().head).toBe(5);
  });
});

describe('many subscriptions', () => {
  it('a thousand each get what matches, and only that', async () => {
    const bus = await openMemory();
    const counts = new Array<number>(1_000).fill(0);
    for (const n of counts.keys())
      await bus.subscribe({ topic: `shop.${n % 100}.*`, handler: () => void counts[n]!++ });
    for (let n = 0; n < 100; n++) await bus.publish({ topic: `shop/${n}/sold` });
    expect(new Set(counts)).toEqual(new Set([1]));
  });

  it('restarted together read the log once, not a thousand times', async () => {
    const { kept, open } = durableWorld();
    const webhookSink = () => sinkOf((batch) => batch.map(() => ({ status: 'delivered' })));
    const bus = await open({ webhookSink });
    for (let n = 0; n < 100; n++) await bus.subscribe({ name: `s${n}`, endpoint: 'https://a.example/' });
    for (const { id } of bus.engine.subscriptions.list(ANONYMOUS)) {
      await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    }
    await bus.publishMany(300);
    await bus.close();
    kept.calls.length = 0;
    const again = await open({ webhookSink });
    await again.time.advance(1_000);
    expect(again.status(again.engine.subscriptions.list(ANONYMOUS)[99]!.id).waiting).toBe(300);
    expect(kept.calls.filter(({ call }) => call === 'read').length).toBeLessThanOrEqual(10);
  });
});

describe('overflow', () => {
  it('of one slow subscription is read back from the store in order, without loss or duplicate; others do not wait', async () => {
    const { time, open } = durableWorld();
    const bus = await open({ limits: { laneEntriesMax: 20, queueMaxSize: 16 } });
    const [slow, fast]: number[][] = [[], []];
    const take = async (event: Parameters<EventHandler>[0]) => {
      slow!.push(event.payload['n'] as number);
      await time.wait(10);
    };
    const { id } = await bus.subscribe({ name: 'slow', handler: take });
    await bus.subscribe({ name: 'fast', handler: (event) => void fast!.push(event.payload['n'] as number) });
    for (let at = 0; at < 10; at++) await bus.publishMany(30, at * 30 + 1);
    expect(bus.status(id).waiting).toBeLessThanOrEqual(20);
    await time.advance(5);
    expect([fast!.length, slow!.length < 10]).toEqual([300, true]);
    expect(bus.engine.memory().bodies).toBeLessThanOrEqual(16);
    await bus.settled();
    expect([slow, fast]).toEqual([numbers(1, 300), numbers(1, 300)]);
    expect(bus.status(id).counts).toMatchObject({ delivered: 300, retried: 0 });
  });

  it('keeps CRITICAL ahead also when every lane has overflowed', async () => {
    const { time, open } = durableWorld();
    const bus = await open({ limits: { laneEntriesMax: 4 } });
    const seen: string[] = [];
    const handler: EventHandler = async (event) => {
      seen.push(event.priority === 0 ? 'critical' : 'low');
      await time.wait(10);
    };
    await bus.subscribe({ handler });
    await bus.publishMany(50, 1, { priority: 'LOW' });
    await bus.publishMany(50, 1, { priority: 'CRITICAL' });
    await bus.settled();
    expect(seen.length).toBe(100);
    const lastCritical = seen.lastIndexOf('critical');
    expect(seen.slice(0, lastCritical).filter((priority) => priority === 'low').length).toBeLessThanOrEqual(8);
  });
});

describe('expiry', () => {
  it('is judged before each attempt: an event past its time is not delivered and counts as expired', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const attempts: number[] = [];
    const handler: EventHandler = (_event, { attempt }) => {
      attempts.push(attempt);
      return { success: false };
    };
    const options = { retryPolicy: fixedRetry(10, 1_000) };
    const { id } = await bus.subscribe({ name: 's', handler, options });
    await bus.publish({ metadata: { expiresAt: time.wallMs() + 2_500 } });
    await bus.publish({ metadata: { expiresAt: time.wallMs() - 1 } });
    await bus.settled();
    expect(attempts).toEqual([1, 2, 3]);
    expect(bus.status(id).counts).toMatchObject({ expired: 2, deadLettered: 0 });
  });
});

describe('filters', () => {
  it('are judged when an event is claimed; what they refuse is settled and counts as skipped', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const seen: string[] = [];
    const { id } = await bus.subscribe({
      name: 's',
      filter: { types: ['a.*'], metadata: { region: 'eu' } },
      handler: (event) => void seen.push(event.type),
    });
    await bus.publish({ type: 'a.x', metadata: { region: 'eu' } });
    await bus.publish({ type: 'a.y', metadata: { region: 'us' } });
    await bus.publish({ type: 'b.x', metadata: { region: 'eu' } });
    await bus.settled();
    expect([seen, bus.status(id).counts.skipped]).toEqual([['a.x'], 2]);
  });

  it('of priority: less urgent lanes are not even offered', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const seen: number[] = [];
    const handler: EventHandler = (event) => void seen.push(event.priority);
    await bus.subscribe({ name: 's', handler, options: { priority: 'HIGH' } });
    for (const priority of [0, 1, 2, 3] as const) await bus.publish({ priority });
    await bus.settled();
    expect(seen).toEqual([0, 1]);
  });
});

describe('find', () => {
  async function withHistory() {
    const { time, open } = durableWorld();
    const bus = await open();
    const startMs = time.wallMs();
    for (const n of numbers(1, 12)) {
      await time.advance(1_000);
      await bus.publish({
        type: `t.${n % 2}`,
        topic: `shop/${n % 3}/x`,
        source: `s${n % 4}`,
        priority: (n % 4) as 0 | 1 | 2 | 3,
        correlationId: `c${n % 6}`,
        metadata: { userId: `u${n % 5}`, projectId: `p${n % 2}` },
        payload: { n },
      });
    }
    return { bus, startMs };
  }

  const queries: [string, object | ((startMs: number) => object), (n: number) => boolean][] = [
    ['topic', { topic: 'shop.1.*' }, (n) => n % 3 === 1],
    ['type', { types: ['t.1'] }, (n) => n % 2 === 1],
    ['source', { sources: ['s0', 's3'] }, (n) => n % 4 === 0 || n % 4 === 3],
    ['priority', { priorities: [0] }, (n) => n % 4 === 0],
    ['user', { userId: 'u2' }, (n) => n % 5 === 2],
    ['project', { projectId: 'p1' }, (n) => n % 2 === 1],
    ['correlation', { correlationId: 'c3' }, (n) => n % 6 === 3],
    ['time', (ms) => ({ fromMs: ms + 3_000, toMs: ms + 6_000 }), (n) => n >= 3 && n < 6],
    ['all of them', { types: ['t.1'], topic: 'shop.#', userId: 'u3', priorities: [3] }, (n) => n === 3],
  ];
  for (const [field, query, matches] of queries) {
    it(`by ${field}, oldest and newest first, page by page`, async () => {
      const { bus, startMs } = await withHistory();
      const asked = typeof query === 'function' ? query(startMs) : query;
      const expected = numbers(1, 12).filter(matches);
      for (const direction of ['forward', 'backward'] as const) {
        const found: unknown[] = [];
        let after: { partition: number; position: number } | undefined;
        do {
          const page = await bus.time.run(bus.engine.history.find(ANONYMOUS, asked, { limit: 2, direction, after }));
          found.push(...page.records.map((record) => JSON.parse(Buffer.from(record.body).toString()).payload.n));
          expect(page.complete).toBe(true);
          after = page.next;
        } while (after);
        expect(found).toEqual(direction === 'forward' ? expected : expected.toReversed());
      }
    });
  }

  it('is refused where the adapter cannot search', async () => {
    const time = new VirtualTime();
    const { kept } = durableWorld();
    const bus = await openOn(kept.connect({ query: 'none' }), time);
    const found = bus.time.run(bus.engine.history.find(ANONYMOUS, {}, { limit: 1, direction: 'forward' }));
    await expect(found).rejects.toMatchObject({ code: 'not_supported' });
  });
});

describe('a failure that cannot be explained', () => {
  it('stops acknowledging and delivering, and says so; reading goes on', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    let attempts = 0;
    await bus.subscribe({ name: 's', handler: () => void attempts++ });
    await bus.publish({ id: ID });
    kept.interfere = (call) => {
      if (call === 'commit') throw new EventManagerError('store_failed', 'The sync failed.');
    };
    await time.advance(1_000);
    expect(bus.engine.health()).toMatchObject({ status: 'failed', reason: 'The sync failed.' });
    await expect(bus.publish()).rejects.toMatchObject({ code: 'store_failed' });
    await expect(bus.settled()).rejects.toMatchObject({ code: 'store_failed' });
    expect(attempts).toBe(1);
    expect((await time.run(bus.engine.history.event(ANONYMOUS, ID)))?.id).toBe(ID);
    const stream = await time.run(bus.engine.history.stream(ANONYMOUS, { from: 'earliest' }));
    expect(await time.run(stream.next())).toMatchObject([{ kind: 'event', record: { id: ID } }]);
  });

  it('lets publishers go on that wait for an attempt nobody will make', async () => {
    const { time, kept } = durableWorld();
    const bus = await openOn(kept.connect({ durability: 'none' }), time, {}, kept);
    const handler: EventHandler = (event) => (event.payload['n'] === 1 ? undefined : new Promise(() => {}));
    await bus.subscribe({ name: 's', handler, options: { maxConcurrency: 1 } });
    await bus.publish({ payload: { n: 1 } });
    void bus.engine.publish(ANONYMOUS, anEvent({ payload: { n: 2 } }));
    const waiting = bus.engine.publish(ANONYMOUS, anEvent({ payload: { n: 3 } }));
    let late: Promise<unknown> | undefined;
    kept.interfere = (call) => {
      if (call === 'append') return time.wait(1_000);
      if (call !== 'commit') return;
      // Handed in before the failure, routed after it.
      late = bus.engine.publish(ANONYMOUS, anEvent({ payload: { n: 4 } }));
      throw new EventManagerError('store_failed', 'The sync failed.');
    };
    await time.run(waiting);
    expect(bus.engine.health().status).toBe('failed');
    await time.run(late!);
  });

  it('tells nothing about the machine: an error that is not ours may name paths', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    kept.interfere = (call) => {
      if (call === 'read') throw Object.assign(new Error("ENOENT: open '/home/secret'"), { code: 'ENOENT' });
    };
    await bus.publish();
    await bus.subscribe({ name: 's', handler: () => {}, options: { startFrom: 'earliest' } });
    await time.advance(1_000);
    expect(bus.engine.health()).toMatchObject({ status: 'failed', reason: expect.not.stringContaining('secret') });
  });
});

describe('opening', () => {
  it('that fails closes the adapter again', async () => {
    const time = new VirtualTime();
    const adapter = memory({ runtime: { clock: time } });
    const broken = Object.assign(Object.create(adapter), {
      store: { bounds: async () => [] },
      open: () => adapter.open(),
      close: () => adapter.close(),
    });
    const opening = Engine.open({ adapter: broken, runtime: runtimeOn(time) });
    await expect(time.run(opening)).rejects.toMatchObject({ code: 'not_supported' });
    await expect(adapter.store.bounds()).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('close', () => {
  it('answers what was handed in, refuses what comes after, and ends streams', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    const stream = await time.run(bus.engine.history.stream(ANONYMOUS, {}));
    const next = stream.next();
    kept.interfere = (call) => (call === 'append' ? time.wait(100) : undefined);
    const publishing = bus.engine.publish(ANONYMOUS, anEvent());
    const closing = bus.engine.close();
    await expect(bus.engine.publish(ANONYMOUS, anEvent())).rejects.toMatchObject({ code: 'closed' });
    await time.run(closing);
    expect([(await publishing).duplicate, await next]).toEqual([false, []]);
    await expect(bus.engine.history.stream(ANONYMOUS, {})).rejects.toMatchObject({ code: 'closed' });
    expect(bus.engine.close()).toBe(closing);
  });

  it('rejects when progress did not become durable, with everything released', async () => {
    for (const failsAfterMs of [0, 150]) {
      const { time, kept } = durableWorld();
      const adapter = kept.connect();
      let released = false;
      const close = async () => {
        released = true;
      };
      const bus = await openOn({ ...adapter, close }, time, {}, kept);
      const slow: EventHandler = async (event) => {
        if (event.topic === 'slow') await time.wait(2_000);
      };
      await bus.subscribe({ name: 's', handler: slow, options: { maxConcurrency: 5 } });
      await bus.publish({ topic: 'slow' });
      await bus.publish({ topic: 'fast' });
      kept.interfere = (call) => {
        if (call === 'commit') throw new EventManagerError('store_failed', 'The sync failed.');
      };
      await time.advance(failsAfterMs);
      await expect(bus.close()).rejects.toMatchObject({ code: 'store_failed' });
      expect(released).toBe(true);
      expect(bus.engine.health().status).toBe('failed');
    }
  });

  it('leaves nothing open: in every lane reserved equals scanned, and no timer waits', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    for (const priority of [0, 1, 2, 3] as const) await bus.publish({ priority });
    await bus.close();
    const [progress] = await kept.kept.state.get('progress', [`${id}/0`]);
    expect(progress!.value).toEqual({ lanes: [0, 1, 2, 3].map(() => [4, 4, []]) });
    expect(time.pending).toBe(0);
  });
});

describe('settled', () => {
  it('resolves however long commits take: looking does not ask for one more each time', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    await bus.subscribe({ name: 's', handler: () => {} });
    kept.interfere = (call) => (call === 'commit' ? time.wait(5) : undefined);
    await bus.publish();
    const commits = () => kept.calls.filter(({ call }) => call === 'commit').length;
    const before = commits();
    await bus.settled();
    // One may be under way already; what was settled meanwhile needs one more.
    expect(commits() - before).toBeLessThanOrEqual(2);
  });

  it('does not wait for a paused subscription', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    await bus.publish();
    await bus.settled();
    expect(bus.status(id).counts.delivered).toBe(0);
  });
});
