import { type EventHandler, EventManagerError } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { EventManager } from '../../src/event-manager.ts';
import { durableWorld, fixedRetry, openMemory, sinkOf } from '../open-engine.ts';

const FAILED = { success: false } as const;

describe('the order of attempts', () => {
  it('is that of the lanes, CRITICAL first, and in a lane that of publishing', async () => {
    const bus = await openMemory();
    const seen: unknown[] = [];
    await bus.subscribe({ handler: (event) => void seen.push(event.payload['n']) });
    const priorities = ['LOW', 'NORMAL', 'CRITICAL', 'HIGH', 'NORMAL', 'CRITICAL'] as const;
    const inputs = priorities.map((priority, n) => ({ type: 't', source: 's', priority, payload: { n } }));
    await bus.time.run(bus.engine.publishBatch({ id: 'x', kind: 'user' }, inputs));
    expect(seen).toEqual([2, 5, 3, 1, 4, 0]);
  });

  it('lets a CRITICAL event overtake a backlog of a thousand', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const seen: unknown[] = [];
    const handler: EventHandler = async (event) => {
      seen.push(event.payload['n']);
      await time.wait(10);
    };
    await bus.subscribe({ handler });
    await bus.publishMany(1_000, 1, { priority: 'LOW' });
    await bus.publish({ priority: 'CRITICAL', payload: { n: 'urgent' } });
    await bus.settled();
    expect(seen.indexOf('urgent')).toBeLessThanOrEqual(2);
    expect(seen.filter((n) => n !== 'urgent')).toEqual(Array.from({ length: 1_000 }, (_, at) => at + 1));
  });

  it('makes a retry whose time has come before fresh events of its lane', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const seen: string[] = [];
    const handler: EventHandler = async (event, { attempt }) => {
      seen.push(`${event.payload['n']}#${attempt}`);
      await time.wait(100);
      return event.payload['n'] === 1 && attempt === 1 ? FAILED : undefined;
    };
    await bus.subscribe({ handler, options: { retryPolicy: fixedRetry(3, 150) } });
    await bus.publishMany(5);
    await bus.settled();
    expect(seen).toEqual(['1#1', '2#1', '3#1', '1#2', '4#1', '5#1']);
  });
});

describe('how much is under way at once', () => {
  it('is maxConcurrency calls of the sink with at most batchSize events each', async () => {
    const { time, open } = durableWorld();
    let underWay = 0;
    let most = 0;
    const sizes: number[] = [];
    const bus = await open({
      webhookSink: () =>
        sinkOf(async (batch) => {
          most = Math.max(most, ++underWay);
          sizes.push(batch.length);
          await time.wait(10);
          underWay--;
          return batch.map(() => ({ status: 'delivered' }) as const);
        }),
    });
    await bus.subscribe({ endpoint: 'https://a.example/', options: { maxConcurrency: 3, batchSize: 4 } });
    await bus.publishMany(50);
    await bus.settled();
    expect([most, Math.max(...sizes), sizes.reduce((sum, size) => sum + size)]).toEqual([3, 4, 50]);
  });

  it('never exceeds inFlightMax, claimed and not yet durably settled together', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    let attempts = 0;
    await bus.subscribe({ name: 's', handler: () => void attempts++, options: { inFlightMax: 10 } });
    await bus.publishMany(1);
    await bus.settled();
    attempts = 0;
    let commits = 0;
    kept.interfere = (call) => (call === 'commit' && ++commits > 0 ? time.wait(1_000) : undefined);
    await bus.publishMany(100, 2);
    await time.advance(900);
    expect(attempts).toBeLessThanOrEqual(10);
    await bus.settled();
    expect(attempts).toBe(100);
  });

  it('gives every subscription its turn while another has a flood', async () => {
    const bus = await openMemory();
    const seen: string[] = [];
    await bus.subscribe({ topic: 'flood', handler: () => void seen.push('flood') });
    await bus.subscribe({ topic: 'single', handler: () => void seen.push('single') });
    const inputs = Array.from({ length: 1_000 }, () => ({ type: 'flood', source: 's' }));
    inputs.splice(1, 0, { type: 'single', source: 's' });
    await bus.time.run(bus.engine.publishBatch({ id: 'x', kind: 'user' }, inputs));
    expect(seen).toHaveLength(1_001);
    expect(seen.indexOf('single')).toBeLessThanOrEqual(64);
  });
});

describe('a handler that does not answer', () => {
  it('is aborted at the timeout, and its late result is stale and changes nothing', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const aborted: boolean[] = [];
    const handler: EventHandler = async (_event, { attempt, signal }) => {
      if (attempt > 1) return;
      await time.wait(5_000);
      aborted.push(signal.aborted);
    };
    const { id } = await bus.subscribe({
      name: 's',
      handler,
      options: { timeoutMs: 1_000, retryPolicy: fixedRetry(3, 100) },
    });
    await bus.publish();
    await bus.settled();
    expect(aborted).toEqual([true]);
    expect(bus.status(id).counts).toMatchObject({ retried: 1, delivered: 1, stale: 1 });
  });

  it('keeps its slot until it ends: it is not started again beside itself', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const startedAtMs: number[] = [];
    const beginMs = time.monotonicMs();
    const handler: EventHandler = async (_event, { attempt }) => {
      startedAtMs.push(time.monotonicMs() - beginMs);
      if (attempt === 1) await time.wait(5_000);
    };
    await bus.subscribe({ handler, options: { timeoutMs: 1_000, retryPolicy: fixedRetry(3, 100) } });
    await bus.publish();
    await bus.settled();
    expect(startedAtMs).toEqual([0, 5_000]);
  });

  it('loses its slot 30 seconds after the timeout when it never ends', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const startedAtMs: number[] = [];
    const beginMs = time.monotonicMs();
    const handler: EventHandler = (_event, { attempt }) => {
      startedAtMs.push(time.monotonicMs() - beginMs);
      return attempt === 1 ? new Promise(() => {}) : undefined;
    };
    await bus.subscribe({ handler, options: { timeoutMs: 1_000, retryPolicy: fixedRetry(3, 100) } });
    await bus.publish();
    await bus.settled();
    expect(startedAtMs).toEqual([0, 31_000]);
  });
});

describe('a sink with a bug', () => {
  const unsound = 'The sink did not answer one outcome per delivery.';
  // biome-ignore lint/suspicious/noExplicitAny: answers that the types forbid are the point.
  const bugs: [string, () => any, string][] = [
    ['throws', () => { throw new Error('sink broke'); }, 'sink broke'], // biome-ignore format: one case, one line.
    ['rejects', async () => { throw new Error('sink broke'); }, 'sink broke'], // biome-ignore format: one case, one line.
    ['answers a wrong number of outcomes', () => [], unsound],
    ['answers nothing', () => undefined, unsound],
    ['answers nothing, later', async () => undefined, unsound],
    ['answers holes', async () => [undefined, undefined], unsound],
    ['answers an unknown status', () => [{ status: 'fine' }, { status: 'fine' }], unsound],
    ['fails without saying why', () => [{ status: 'retry' }, { status: 'reject' }], unsound],
  ];
  for (const [what, deliver, message] of bugs) {
    it(`that ${what}: each delivery of the batch counts as failed`, async () => {
      const { open } = durableWorld();
      const bus = await open({ webhookSink: () => sinkOf(deliver) });
      const options = { batchSize: 2, retryPolicy: fixedRetry(0) };
      const { id } = await bus.subscribe({ endpoint: 'https://a.example/', options });
      await bus.publishMany(2);
      await bus.settled();
      const errors = (await bus.deadLetters(id)).map((letter) => letter.errors[0]);
      expect(errors).toEqual([1, 2].map(() => expect.objectContaining({ code: 'sink_error', message })));
    });
  }
});

describe('the turn of the event loop', () => {
  it('is given up though two handlers publish to each other without end', async () => {
    const bus = new EventManager();
    let handled = 0;
    let stopped = false;
    for (const [topic, next] of [
      ['ping', 'pong'],
      ['pong', 'ping'],
    ]) {
      const handler = () => {
        handled++;
        if (!stopped) void bus.publish({ type: next!, source: 'test' }).catch(() => {});
      };
      await bus.subscribe({ topic: topic!, handler });
    }
    void bus.publish({ type: 'ping', source: 'test' });
    // Turns of the process itself: in an endless one the first would never come, and the test would end as too slow.
    while (handled < 100) await new Promise((resolve) => setImmediate(resolve));
    stopped = true;
    await bus.close();
  });
});

describe('the cap of debts', () => {
  it('stops fresh attempts, says so, and ends by itself when the receiver recovers', async () => {
    const { time, open } = durableWorld();
    const bus = await open({ limits: { owedMax: 3 } });
    let broken = true;
    let attempts = 0;
    const handler: EventHandler = () => {
      attempts++;
      return broken ? FAILED : undefined;
    };
    const { id } = await bus.subscribe({ name: 's', handler, options: { retryPolicy: fixedRetry(1_000) } });
    await bus.publishMany(10);
    await time.advance(500);
    expect([attempts, bus.status(id)]).toMatchObject([3, { state: 'saturated', owed: 3 }]);
    broken = false;
    await bus.settled();
    expect(bus.status(id)).toMatchObject({ state: 'current', owed: 0, counts: { delivered: 10 } });
  });
});

describe('closing', () => {
  it('lets attempts under way end and leaves nothing open: everything is delivered once over a restart', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const seen: string[] = [];
    const handler: EventHandler = async (event, { attempt }) => {
      seen.push(`${event.payload['n']}#${attempt}`);
      await time.wait(1_000);
    };
    await bus.subscribe({ name: 's', handler });
    await bus.publishMany(5);
    await time.advance(1_500);
    await bus.close();
    expect(seen).toEqual(['1#1', '2#1']);
    const again = await open();
    await again.subscribe({ name: 's', handler });
    await again.settled();
    expect(seen).toEqual([1, 2, 3, 4, 5].map((n) => `${n}#1`));
  });

  it('gives up an attempt that does not end in time; it stays owed and costs no retry', async () => {
    const { time, open } = durableWorld();
    const bus = await open();
    const options = { retryPolicy: fixedRetry(0), timeoutMs: 60_000 };
    const { id } = await bus.subscribe({ name: 's', handler: () => new Promise(() => {}), options });
    await bus.publishMany(1);
    const beganMs = time.monotonicMs();
    await bus.close({ drainMs: 2_000 });
    expect(time.monotonicMs() - beganMs).toBe(2_000);
    const again = await open();
    const attempts: number[] = [];
    await again.subscribe({ name: 's', handler: (_event, { attempt }) => void attempts.push(attempt), options });
    await again.settled();
    expect([attempts, await again.deadLetters(id)]).toEqual([[2], []]);
  });

  for (const code of ['store_failed', 'disk_full'] as const) {
    it(`ends also when a retry waits for a commit that never succeeds (${code})`, async () => {
      const { time, kept, open } = durableWorld();
      const bus = await open();
      await bus.subscribe({ name: 's', handler: () => FAILED, options: { retryPolicy: fixedRetry(5) } });
      await bus.publish();
      await time.advance(500);
      kept.interfere = (call) => {
        if (call === 'commit') throw new EventManagerError(code, 'No commit.');
      };
      await time.advance(5_000);
      const [closed] = await time.run(Promise.allSettled([bus.engine.close()]), 60_000);
      // What could not be made durable is told, not swallowed.
      expect(closed).toMatchObject({ status: 'rejected', reason: { code } });
    });
  }
});
