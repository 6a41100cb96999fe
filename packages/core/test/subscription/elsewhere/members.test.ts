import { ANONYMOUS, type Outcome, type Sink } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../../open-engine.ts';
import { fixedRetry, type SetUp } from '../../open-engine.ts';
import { redrive } from '../../runs/redrive/redrive-world.ts';
import { attachHandler, CALM, detach, numbers, SeveralEngines } from '../../several-engines.ts';

type Three = [EngineUnderTest, EngineUnderTest, EngineUnderTest];

async function threeWithMembers(options: { tookMs?: number; options?: object } = {}, trouble = CALM, seed = 7) {
  const engines = await SeveralEngines.of(3, {}, seed, trouble);
  const [a, b, c] = engines.all as Three;
  const members = [await attachHandler(a, options), await attachHandler(b, options), await attachHandler(c, options)];
  await engines.time.advance(3_000);
  return { engines, a, b, c, members, id: members[0]!.id, seen: () => members.flatMap(({ seen }) => seen) };
}

function sorted(seen: readonly string[]): string[] {
  return seen.toSorted((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
}

describe('members at several processes', () => {
  it('get each event once, and as many as they have free slots', async () => {
    const { engines, a, members, seen, id } = await threeWithMembers({ tookMs: 100, options: { maxConcurrency: 2 } });
    await a.publishMany(60);
    await engines.time.advance(5_000);
    expect(sorted(seen())).toEqual(numbers(1, 60));
    for (const member of members) expect(member.seen.length).toBeGreaterThanOrEqual(18);
    expect(a.status(id)).toMatchObject({ members: 3, servedBy: 'a' });
    await engines.close();
  });

  it('may subscribe at the same moment', async () => {
    const engines = await SeveralEngines.of(3);
    const subscribing = engines.all.map(({ engine }) =>
      engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', name: 's', handler: () => {} }),
    );
    const ids = (await engines.time.run(Promise.all(subscribing))).map(({ id }) => id);
    expect(new Set(ids).size).toBe(1);
    await engines.time.advance(3_000);
    expect(engines.ownerOf(ids[0]!)!.status(ids[0]!).members).toBe(3);
    await engines.close();
  });

  it('leave a slow one its own slots alone', async () => {
    const engines = await SeveralEngines.of(2);
    const [a, b] = engines.all as Three;
    const options = { maxConcurrency: 2, timeoutMs: 60_000 };
    const quick = await attachHandler(a, { tookMs: 10, options });
    const slow = await attachHandler(b, { tookMs: 20_000, options });
    await engines.time.advance(3_000);
    await a.publishMany(50);
    await engines.time.advance(5_000);
    expect([quick.seen.length, slow.seen.length]).toEqual([48, 2]);
    await engines.time.advance(60_000);
    await engines.close();
  });

  it('lose nothing and cost no failure when the process of one dies', async () => {
    const { engines, a, b, members, seen, id } = await threeWithMembers({
      tookMs: 500,
      options: { maxConcurrency: 4, retryPolicy: fixedRetry(0), timeoutMs: 60_000 },
    });
    await a.publishMany(40);
    await engines.time.advance(300);
    const had = members[1]!.seen.length;
    expect(had).toBeGreaterThan(0);
    engines.crash(b);
    await engines.time.advance(30_000);
    const again = seen().filter((one) => one.endsWith('#2'));
    expect(again.length).toBe(Math.min(4, had));
    expect(new Set(seen().map((one) => Number.parseInt(one, 10))).size).toBe(40);
    expect(await a.deadLetters(id)).toEqual([]);
    expect(a.status(id)).toMatchObject({ members: 2, counts: { failed: 0 } });
    await engines.close();
  });

  it('go on under another owner when theirs dies', async () => {
    const { engines, a, b, c, members, id } = await threeWithMembers({ tookMs: 200 });
    await a.publishMany(9);
    await engines.time.advance(50);
    engines.crash(a);
    await engines.time.advance(15_000);
    const owner = engines.ownerOf(id);
    expect([b, c]).toContain(owner);
    await b.publishMany(6, 10);
    await engines.time.advance(15_000);
    const all = new Set(members.flatMap(({ seen }) => seen).map((one) => Number.parseInt(one, 10)));
    expect(all.size).toBe(15);
    for (const member of members.slice(1)) expect(member.seen.some((one) => Number.parseInt(one, 10) >= 10)).toBe(true);
    await engines.close();
  });

  it('go on when owner and a member die together', async () => {
    const { engines, a, b, c, members } = await threeWithMembers({ tookMs: 200 });
    await a.publishMany(9);
    await engines.time.advance(50);
    engines.crash(a);
    engines.crash(b);
    await engines.time.advance(20_000);
    await c.publishMany(3, 10);
    await engines.time.advance(20_000);
    expect(new Set(members.flatMap(({ seen }) => seen).map((one) => Number.parseInt(one, 10))).size).toBe(12);
    await engines.close();
  });

  it('get each event where a third of the letters is lost, and none is counted as a failure', async () => {
    const trouble = { ...CALM, letterLossShare: 0.3, letterTwiceShare: 0.2, letterStallShare: 0.01 };
    const { engines, a, seen, id } = await threeWithMembers(
      { tookMs: 20, options: { retryPolicy: fixedRetry(0) } },
      trouble,
      3,
    );
    await a.publishMany(100);
    await engines.time.advance(120_000);
    expect(new Set(seen().map((one) => Number.parseInt(one, 10))).size).toBe(100);
    expect(await a.deadLetters(id)).toEqual([]);
    await engines.close();
  });

  /** A handler that began what was given back would run beside the one that has it now. */
  it('begin nothing that they find in their socket after a sleep', async () => {
    const { engines, a, b, members } = await threeWithMembers({ tookMs: 10 });
    const before = members[1]!.seen.length;
    engines.sleep(b, 12_000);
    await a.publishMany(30);
    await engines.time.advance(11_900);
    expect(members[1]!.seen.length).toBe(before);
    expect(new Set([...members[0]!.seen, ...members[2]!.seen]).size).toBe(30);
    await engines.time.advance(5_000);
    expect(members[1]!.seen.length).toBe(before);
    await a.publishMany(30, 31);
    await engines.time.advance(5_000);
    expect(members[1]!.seen.length).toBeGreaterThan(before);
    await engines.close();
  });

  it('are found again after no letter passed between two processes for a while', async () => {
    const { engines, a, members, seen } = await threeWithMembers({ tookMs: 10 });
    const heal = engines.shared.partition('a', 'b');
    await a.publishMany(20);
    await engines.time.advance(10_000);
    const apart = members[1]!.seen.length;
    expect(new Set(seen().map((one) => Number.parseInt(one, 10))).size).toBe(20);
    heal();
    await engines.time.advance(5_000);
    await a.publishMany(20, 21);
    await engines.time.advance(5_000);
    expect(members[1]!.seen.length).toBeGreaterThan(apart);
    await engines.close();
  });

  it('keep the order of a key, whoever gets its events', async () => {
    const engines = await SeveralEngines.of(3);
    const [a, b, c] = engines.all as Three;
    const order: string[] = [];
    const note = (event: { payload: Record<string, unknown> }) => void order.push(String(event.payload['n']));
    const shape = { tookMs: 30, options: { order: 'key', maxConcurrency: 4 } };
    const members = [];
    for (const bus of [a, b, c]) members.push(await attachHandler(bus, shape, note));
    await engines.time.advance(3_000);
    await a.publishMany(30, 1, { metadata: { orderingKey: 'k' } });
    await a.publishMany(30, 101, { metadata: { orderingKey: 'l' } });
    await engines.time.advance(20_000);
    for (const [from, through] of [
      [1, 30],
      [101, 130],
    ] as const) {
      const numbered = order.map(Number).filter((number) => number >= from && number <= through);
      expect(numbered).toEqual(Array.from({ length: through - from + 1 }, (_, at) => from + at));
    }
    expect(members.filter(({ seen }) => seen.length > 0).length).toBeGreaterThan(1);
    await engines.close();
  });
});

describe('a member at another process than the owner', () => {
  /** The owner's own member takes nothing: every delivery travels. */
  async function onlyElsewhere(sink: Sink['deliver'], options: object, single?: true, setUp: SetUp = {}) {
    const engines = await SeveralEngines.of(2, setUp);
    const [a, b] = engines.all as Three;
    const rest: Outcome = { status: 'busy', afterMs: 60_000 };
    const busy: Sink = { isUp: false, deliver: (batch) => batch.map(() => rest), close: async () => {} };
    const request = { topic: '#', name: 's', options };
    await engines.time.run(a.engine.subscriptions.subscribe(ANONYMOUS, request, { sink: busy }));
    await engines.time.advance(2_000);
    const remote: Sink = { ...(single ? { single } : {}), deliver: sink, close: async () => {} };
    const { id } = await engines.time.run(b.engine.subscriptions.subscribe(ANONYMOUS, request, { sink: remote }));
    await engines.time.advance(3_000);
    expect(engines.ownerOf(id)).toBe(a);
    return { engines, a, b, id };
  }

  /** Its client remembers what it answered: if it failed, a redrive or a reset would be answered from memory there. */
  it('is told which life of a debt a delivery is of', async () => {
    const seen: unknown[] = [];
    let outcome: Outcome = { status: 'reject', error: { code: 'no', message: 'Not now.' } };
    const { engines, a, id } = await onlyElsewhere((batch) => {
      seen.push(...batch.map(({ life, attempt }) => [life, attempt]));
      return batch.map(() => outcome);
    }, {});
    await a.publishMany(1);
    await engines.time.advance(3_000);
    outcome = { status: 'delivered' };
    await redrive(a, { all: true });
    await engines.time.advance(3_000);
    for (let times = 0; times < 2; times++) {
      await engines.time.run(a.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' }));
      await engines.time.advance(3_000);
    }
    await a.publishMany(1, 2);
    await engines.time.advance(3_000);
    expect(seen).toEqual([
      [undefined, 1],
      ['0.1', 2],
      ['1.2', 1],
      ['2.2', 1],
      ['2.2', 1],
    ]);
    await engines.close();
  });

  it('gets batches, and its outcomes are those of its deliveries', async () => {
    const batches: number[] = [];
    const answers: Record<number, Outcome> = {
      2: { status: 'reject', error: { code: 'no', message: 'Never.' } },
      3: { status: 'retry', error: { code: 'later', message: 'ü'.repeat(2_000), metadata: { why: 'x' } } },
    };
    const { engines, a, id } = await onlyElsewhere(
      async (batch) => {
        batches.push(batch.length);
        await engines.time.wait(5);
        return batch.map(({ record, attempt }) => {
          const { n } = JSON.parse(Buffer.from(record.body).toString()).payload;
          return attempt === 1 ? (answers[n] ?? { status: 'delivered' }) : { status: 'delivered' };
        });
      },
      { batchSize: 5, maxConcurrency: 1, retryPolicy: fixedRetry(2, 100) },
    );
    await a.publishMany(11);
    await engines.time.advance(10_000);
    expect(Math.max(...batches)).toBe(5);
    expect(a.status(id)).toMatchObject({ counts: { delivered: 10, failed: 2, deadLettered: 1 }, owed: 0 });
    expect((await a.deadLetters(id)).map(({ errors }) => errors[0]!.code)).toEqual(['no']);
    await engines.close();
  });

  it('gets a batch of more events than fit into a letter whole, in its first attempt', async () => {
    const batches: number[] = [];
    const attempts = new Set<number>();
    const limits = { inFlightMax: 20_000, queueMaxSize: 40_000, laneEntriesMax: 20_000 };
    const { engines, a, id } = await onlyElsewhere(
      (batch) => {
        batches.push(batch.length);
        for (const { attempt } of batch) attempts.add(attempt);
        return batch.map(() => ({ status: 'delivered' }));
      },
      { batchSize: 20_000, inFlightMax: 20_000, maxConcurrency: 1, flushIntervalMs: 1_000, retryPolicy: fixedRetry(0) },
      undefined,
      { limits },
    );
    await a.publishMany(10_000);
    await engines.time.advance(10_000);
    expect(Math.max(...batches)).toBeGreaterThan(5_900);
    expect([...attempts]).toEqual([1]);
    expect(a.status(id)).toMatchObject({ counts: { delivered: 10_000, failed: 0, deadLettered: 0 }, owed: 0 });
    await engines.close();
  });

  it('is told by its signal that its time is over, and its late answer is stale', async () => {
    const aborted: boolean[] = [];
    const { engines, a, id } = await onlyElsewhere(
      async (batch, { signal }) => {
        await engines.time.wait(4_000);
        aborted.push(signal.aborted);
        return batch.map(() => ({ status: 'delivered' }));
      },
      { timeoutMs: 3_000, maxConcurrency: 1, retryPolicy: fixedRetry(0) },
      true,
    );
    await a.publishMany(1);
    await engines.time.advance(20_000);
    expect(aborted).toEqual([true]);
    expect(a.status(id)).toMatchObject({ counts: { failed: 1, stale: 1, deadLettered: 1, delivered: 0 } });
    await engines.close();
  });

  it('gives back by `release` what costs no failure', async () => {
    let calls = 0;
    const { engines, a, id } = await onlyElsewhere(
      (batch) => batch.map(() => (++calls < 3 ? { status: 'release' } : { status: 'delivered' })),
      { retryPolicy: fixedRetry(0) },
      true,
    );
    await a.publishMany(1);
    await engines.time.advance(5_000);
    expect(calls).toBe(3);
    expect(a.status(id)).toMatchObject({ counts: { failed: 0, delivered: 1 } });
    await engines.close();
  });

  it('finishes what it has when it leaves, and is given nothing more', async () => {
    const begun: number[] = [];
    const { engines, a, b, id } = await onlyElsewhere(
      async (batch) => {
        begun.push(engines.time.monotonicMs());
        await engines.time.wait(2_000);
        return batch.map(() => ({ status: 'delivered' }));
      },
      { maxConcurrency: 2, timeoutMs: 30_000 },
      true,
    );
    await a.publishMany(5);
    await engines.time.advance(500);
    expect(begun.length).toBe(4);
    await detach(b, id, { drainMs: 10_000 });
    await engines.time.advance(10_000);
    expect(begun.length).toBe(4);
    expect(a.status(id)).toMatchObject({ members: 1, inFlight: 0, counts: { delivered: 4, failed: 0 } });
    await engines.close();
  });

  it('is the same member when it comes again at another process, and takes its own place', async () => {
    const engines = await SeveralEngines.of(3);
    const left: string[] = [];
    const [a, b, c] = engines.all as Three;
    const join = (bus: EngineUnderTest, member: string) => {
      const sink: Sink = { deliver: (batch) => batch.map(() => ({ status: 'delivered' })), close: async () => {} };
      const onLeft = (reason: string) => void left.push(`${engines.names.get(bus)} ${reason}`);
      const request = { topic: '#', name: 's' };
      return engines.time.run(bus.engine.subscriptions.subscribe(ANONYMOUS, request, { sink, member, onLeft }));
    };
    const { id } = await join(a, 'other');
    await engines.time.advance(2_000);
    await join(b, 'me');
    await engines.time.advance(3_000);
    expect(a.status(id).members).toBe(2);
    await join(c, 'me');
    await engines.time.advance(3_000);
    expect(a.status(id).members).toBe(2);
    expect(left).toEqual(['b taken_over']);
    await engines.close();
  });

  it('is served, paused, changed and ended from any process', async () => {
    const { engines, a, b, c, id, members, seen } = await threeWithMembers();
    await engines.time.run(c.engine.subscriptions.pause(ANONYMOUS, id));
    await engines.time.advance(2_000);
    await a.publishMany(3);
    await engines.time.advance(3_000);
    expect(seen()).toEqual([]);
    await engines.time.run(b.engine.subscriptions.resume(ANONYMOUS, id));
    await engines.time.advance(2_000);
    expect(sorted(seen())).toEqual(numbers(1, 3));
    await engines.time.run(b.engine.subscriptions.update(ANONYMOUS, id, { topic: 'order.*' }));
    await engines.time.advance(8_000);
    await a.publishMany(6, 4);
    await engines.time.advance(3_000);
    expect(sorted(seen()).slice(0, 3)).toEqual(numbers(1, 3));
    const status = await engines.time.run(b.engine.subscriptions.progress(ANONYMOUS, id));
    expect(status).toMatchObject({ served: true, servedBy: 'a', members: 3 });
    await engines.time.run(c.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await engines.time.advance(3_000);
    expect(engines.ownerOf(id)).toBeUndefined();
    expect(members.length).toBe(3);
    await engines.close();
  });
});
