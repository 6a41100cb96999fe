import { ANONYMOUS, type ExtendAnswer, type LeasedDelivery } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../../open-engine.ts';
import { CALM, SeveralEngines } from '../../several-engines.ts';

async function threeAndOnePulled(options: object = {}, trouble = CALM) {
  const engines = await SeveralEngines.of(3, {}, 9, trouble);
  const { id } = await engines.all[0]!.subscribe({ name: 'p', options });
  await engines.time.advance(3_000);
  const owner = engines.ownerOf(id)!;
  const others = engines.all.filter((bus) => bus !== owner) as [EngineUnderTest, EngineUnderTest];
  return { engines, id, owner, others };
}

function pull(bus: EngineUnderTest, id: string, input: object = {}): Promise<readonly LeasedDelivery[]> {
  return bus.time.run(bus.engine.subscriptions.pulls.pull(ANONYMOUS, id, input));
}

function answer(bus: EngineUnderTest, id: string, how: 'ack' | 'nack' | 'extend', leases: readonly LeasedDelivery[]) {
  const deliveries = leases.map(({ token }) => token);
  return bus.time.run(bus.engine.subscriptions.pulls[how](ANONYMOUS, id, { deliveries }));
}

function seen(leases: readonly LeasedDelivery[]): string[] {
  return leases.map(({ record, attempt }) => {
    return `${JSON.parse(Buffer.from(record.body).toString()).payload.n}#${attempt}`;
  });
}

describe('pulling through a process that does not serve the subscription', () => {
  it('hands over what is owed, and answers through any other process count', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    const [b, c] = others;
    await b.publishMany(6);
    const first = await pull(b, id, { max: 2 });
    const second = await pull(c, id, { max: 2, waitMs: 1_000 });
    expect([...seen(first), ...seen(second)]).toEqual(['1#1', '2#1', '3#1', '4#1']);
    expect(first[0]!.leaseUntilMs - engines.time.wallMs()).toBeGreaterThan(25_000);
    expect(await answer(c, id, 'ack', first)).toEqual({ stale: [] });
    // Said again because the answer was lost.
    expect(await answer(b, id, 'ack', first)).toEqual({ stale: [] });
    expect(await answer(b, id, 'extend', second)).toMatchObject({ stale: [] });
    expect(await answer(b, id, 'nack', second)).toEqual({ stale: [] });
    expect(await answer(b, id, 'ack', second)).toEqual({ stale: second.map(({ token }) => token) });
    expect(seen(await pull(owner, id, { max: 2 }))).toEqual(['5#1', '6#1']);
    await engines.close();
  });

  /** Each of many consumers that poll would have the catalog and all leases read, through every process but one. */
  it('takes no look at who serves what while the owner answers', async () => {
    const { engines, id, others } = await threeAndOnePulled();
    const [b] = others;
    await b.publishMany(100);
    await engines.time.advance(1_000);
    const state = engines.stateOf(b);
    const load = state.load.bind(state);
    let looks = 0;
    const counting: typeof load = (kind, options) => {
      if (kind === 'subscription') looks++;
      return load(kind, options);
    };
    Object.assign(state, { load: counting });
    const beganAtMs = engines.time.monotonicMs();
    for (let at = 0; at < 50; at++) expect(await pull(b, id, { max: 1 })).toHaveLength(1);
    const everySecond = Math.ceil((engines.time.monotonicMs() - beganAtMs) / 1_000);
    expect(looks).toBeLessThanOrEqual(everySecond);
    await engines.close();
  });

  /** Until then its asker would believe that nobody else has the delivery, and an answer just before would be stale. */
  it('never says that an extended lease lasts longer than its owner says, however late the answer is', async () => {
    const slow = { ...CALM, letterStallShare: 1, stallMs: 2_000 };
    const { engines, id, owner, others } = await threeAndOnePulled({ timeoutMs: 10_000 }, slow);
    const [b, c] = others;
    await b.publishMany(12);
    for (let at = 0; at < 12; at++) {
      const leases = await pull(owner, id, { max: 1 });
      const told = (await answer(at % 2 === 0 ? b : c, id, 'extend', leases)) as ExtendAnswer;
      expect(told.stale).toEqual([]);
      const leftMs = told.leaseUntilMs - engines.time.wallMs();
      // Nor shorter than the ways of the letters may have taken, or nobody could count on it.
      expect(leftMs).toBeGreaterThan(10_000 - 2 * 2_000);
      await engines.time.advance(leftMs - 1);
      expect(await answer(owner, id, 'ack', leases)).toEqual({ stale: [] });
    }
    await engines.close();
  });

  it('is answered at once when the process that was asked ends', async () => {
    const { engines, id, others } = await threeAndOnePulled();
    const { pulls } = others[0].engine.subscriptions;
    const waiting = pulls.pull(ANONYMOUS, id, { waitMs: 30_000 });
    await engines.time.advance(1_000);
    const beganAtMs = engines.time.monotonicMs();
    pulls.endWaiting();
    expect(await engines.time.run(waiting)).toEqual([]);
    expect(engines.time.monotonicMs() - beganAtMs).toBeLessThan(100);
    // Nobody waits at the owner any more.
    await engines.time.advance(1_000);
    expect(engines.ownerOf(id)!.status(id).members).toBe(0);
    await engines.close();
  });

  it('takes tokens that no process made for late, whatever they hold', async () => {
    const { engines, id, others } = await threeAndOnePulled();
    const deliveries = Array.from({ length: 300 }, (_, at) => `${at}`.padEnd(64, '\u0001'));
    const { pulls } = others[0].engine.subscriptions;
    expect(await engines.time.run(pulls.ack(ANONYMOUS, id, { deliveries }))).toEqual({ stale: deliveries });
    await engines.close();
  });

  it('does not take an answer for late while the owner is not heard of', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    const [b, c] = others;
    await b.publishMany(1);
    const leases = await pull(b, id);
    const heal = engines.shared.partition(engines.names.get(c)!, engines.names.get(owner)!);
    await engines.time.advance(6_000);
    await expect(answer(c, id, 'ack', leases)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(pull(c, id)).rejects.toMatchObject({ code: 'not_ready' });
    heal();
    await engines.time.advance(2_000);
    expect(await answer(c, id, 'ack', leases)).toEqual({ stale: [] });
    await engines.close();
  });

  it('goes on at another process when the owner has failed, which takes no answer any more', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    const [b, c] = others;
    await b.publishMany(3);
    const leases = await pull(b, id, { max: 2 });
    engines.breakStore(owner);
    await answer(owner, id, 'ack', leases.slice(0, 1));
    await engines.time.advance(500);
    expect(owner.engine.health().status).toBe('failed');
    const late = await answer(c, id, 'ack', leases.slice(1)).catch((error: { code: string }) => error.code);
    expect(['store_failed', 'unreachable', { stale: [leases[1]!.token] }]).toContainEqual(late);
    await engines.time.advance(10_000);
    expect(others.filter(({ engine }) => engine.isServing(id))).toHaveLength(1);
    // What was reserved before is attempted one at a time.
    const again: string[] = [];
    for (let at = 0; at < 3; at++) {
      const [next] = await pull(b, id, { waitMs: 1_000 });
      again.push(...seen([next!]));
      await answer(b, id, 'ack', [next!]);
    }
    expect(again.map((one) => one.split('#')[0]).sort()).toEqual(['1', '2', '3']);
    engines.crash(owner);
    await engines.close();
  });

  it('waits for what comes, and for no longer than it was asked to', async () => {
    const { engines, id, others } = await threeAndOnePulled();
    const beganAtMs = engines.time.monotonicMs();
    expect(await pull(others[0], id, { waitMs: 5_000 })).toEqual([]);
    expect(Math.round((engines.time.monotonicMs() - beganAtMs) / 1_000)).toBe(5);
    const waiting = others[0].engine.subscriptions.pulls.pull(ANONYMOUS, id, { waitMs: 20_000 });
    await engines.time.advance(2_000);
    await others[1].publishMany(1);
    expect(seen(await engines.time.run(waiting, 2_000))).toEqual(['1#1']);
    await engines.close();
  });

  it('gives back what was leased for somebody who has left', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    const abort = new AbortController();
    const asking = others[0].engine.subscriptions.pulls.pull(ANONYMOUS, id, { waitMs: 20_000 }, abort.signal);
    await engines.time.advance(1_000);
    expect(owner.status(id).members).toBe(1);
    abort.abort();
    await engines.time.advance(100);
    expect(await engines.time.run(asking)).toEqual([]);
    expect(owner.status(id).members).toBe(0);
    await owner.publishMany(1);
    expect(seen(await pull(owner, id))).toEqual(['1#1']);
    await engines.close();
  });

  it('goes on at the next owner when the first one dies, and what that one leased is stale', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    const [b, c] = others;
    await b.publishMany(2);
    const leased = await pull(b, id, { max: 1 });
    engines.crash(owner);
    const waiting = c.engine.subscriptions.pulls.pull(ANONYMOUS, id, { max: 5, waitMs: 30_000 });
    const next = await engines.time.run(waiting, 30_000);
    expect(next.length).toBeGreaterThan(0);
    await engines.time.advance(2_000);
    expect(await answer(b, id, 'ack', leased)).toEqual({ stale: leased.map(({ token }) => token) });
    await engines.close();
  });

  it('is not ready only when nobody serves it', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    engines.crash(owner);
    await engines.time.advance(100);
    await expect(pull(others[0], id)).rejects.toMatchObject({ code: 'not_ready' });
    await engines.time.advance(15_000);
    expect(await pull(others[0], id)).toEqual([]);
    await engines.close();
  });

  it('hands over each event once where letters are lost and doubled', async () => {
    const trouble = { ...CALM, letterLossShare: 0.3, letterTwiceShare: 0.3 };
    const { engines, id, others } = await threeAndOnePulled({ timeoutMs: 60_000 }, trouble);
    await others[0].publishMany(40);
    const got: string[] = [];
    for (let round = 0; got.length < 40 && round < 60; round++) {
      const bus = others[round % 2]!;
      const leases = await pull(bus, id, { max: 3, waitMs: 1_000 });
      got.push(...seen(leases));
      if (leases.length > 0) expect(await answer(others[(round + 1) % 2]!, id, 'ack', leases)).toEqual({ stale: [] });
    }
    expect(got.toSorted()).toEqual(Array.from({ length: 40 }, (_, at) => `${at + 1}#1`).toSorted());
    await engines.close();
  });

  it('shows the status of the process that serves it', async () => {
    const { engines, id, owner, others } = await threeAndOnePulled();
    await owner.publishMany(3);
    await pull(others[0], id, { max: 2 });
    const status = await engines.time.run(others[1].engine.subscriptions.progress(ANONYMOUS, id));
    expect(status).toMatchObject({ served: true, servedBy: engines.names.get(owner), inFlight: 2 });
    await engines.close();
  });
});
