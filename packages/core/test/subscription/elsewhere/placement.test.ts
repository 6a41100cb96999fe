import { ANONYMOUS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../../open-engine.ts';
import { attachHandler, CALM, numbers, SeveralEngines, takesAll } from '../../several-engines.ts';

async function manyWebhooks(bus: EngineUnderTest, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at++) {
    ids.push(
      (await bus.subscribe({ name: `w${at}`, endpoint: `http://receiver.test/${at}`, options: { timeoutMs: 60_000 } }))
        .id,
    );
  }
  return ids;
}

function isEven(shares: readonly number[]): boolean {
  return Math.max(...shares) - Math.min(...shares) <= 1;
}

/** All together would hide which: a list of what nobody serves. */
function unserved(engines: SeveralEngines, ids: readonly string[]): string[] {
  return ids.filter((id) => !engines.ownerOf(id));
}

describe('subscriptions that anybody may serve', () => {
  it('are shared evenly after processes join, leave and die, and every one is served', async () => {
    const { webhookSink } = takesAll();
    const engines = await SeveralEngines.of(1, { webhookSink });
    const ids = await manyWebhooks(engines.all[0]!, 23);
    const lookAt = async (waitMs: number, count: number) => {
      await engines.time.advance(waitMs);
      expect(unserved(engines, ids)).toEqual([]);
      const shares = engines.shares(ids);
      expect(shares.length).toBe(count);
      expect(isEven(shares), String(shares)).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(ids.length);
    };
    await lookAt(5_000, 1);
    for (let count = 2; count <= 5; count++) {
      await engines.open({ webhookSink });
      await lookAt(10_000, count);
    }
    await engines.leave(engines.all[2]!);
    await lookAt(10_000, 4);
    engines.crash(engines.all[0]!);
    await lookAt(20_000, 3);
    engines.crash(engines.all[1]!);
    await engines.open({ webhookSink });
    await lookAt(20_000, 3);
    const moved = engines.all.map(({ engine }) => engine.subscriptions.instances!.leases.moved);
    await engines.time.advance(120_000);
    // Where nobody comes or goes nothing moves any more.
    expect(engines.all.map(({ engine }) => engine.subscriptions.instances!.leases.moved)).toEqual(moved);
    await engines.close();
  });

  it('begin anew when another process removed one and made one of the same name', async () => {
    const { webhookSink, seen } = takesAll();
    // The owner hears of both at its next look.
    const engines = await SeveralEngines.of(2, { webhookSink }, 7, { ...CALM, hintLossShare: 1, letterLossShare: 1 });
    const request = { name: 'again', endpoint: 'http://receiver.test/', options: { startFrom: 'earliest' } };
    const { id } = await engines.all[0]!.subscribe(request);
    await engines.time.advance(3_000);
    await engines.all[0]!.publishMany(5);
    await engines.time.advance(1_000);
    expect(seen).toEqual(numbers(1, 5));
    const other = engines.all.find((bus) => bus !== engines.ownerOf(id))!;
    await engines.time.run(other.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await other.subscribe(request);
    await engines.time.advance(10_000);
    expect(seen.slice(5)).toEqual(numbers(1, 5));
    await engines.close();
  });

  it('are shared evenly where letters are lost, doubled and late', async () => {
    const { webhookSink } = takesAll();
    const engines = await SeveralEngines.of(3, { webhookSink }, 11, { letterLossShare: 0.2, letterTwiceShare: 0.2 });
    const ids = await manyWebhooks(engines.all[1]!, 20);
    await engines.time.advance(60_000);
    expect(unserved(engines, ids)).toEqual([]);
    expect(isEven(engines.shares(ids)), String(engines.shares(ids))).toBe(true);
    await engines.close();
  });

  it('are served by nobody for at most ten seconds when their process dies, a thousand of them, too', async () => {
    const { webhookSink } = takesAll();
    const engines = await SeveralEngines.of(3, { webhookSink }, 5, { ...CALM, usualMs: 10 });
    const ids = await manyWebhooks(engines.all[0]!, 1_000);
    await engines.time.runUntil(() => isEven(engines.shares(ids)), 60_000);
    const diedAtMs = engines.time.monotonicMs();
    engines.crash(engines.all[1]!);
    expect(unserved(engines, ids).length).toBeGreaterThan(300);
    await engines.time.runUntil(() => unserved(engines, ids).length === 0, 60_000);
    const takeoverMs = engines.time.monotonicMs() - diedAtMs;
    console.log(JSON.stringify({ subscriptions: ids.length, takeoverMs: Math.round(takeoverMs) }));
    expect(takeoverMs).toBeLessThanOrEqual(10_000);
    await engines.time.runUntil(() => isEven(engines.shares(ids)), 60_000);
  });

  it('pass from one process to another without an attempt twice', async () => {
    const { webhookSink, seen } = takesAll();
    const engines = await SeveralEngines.of(1, { webhookSink });
    const ids = await manyWebhooks(engines.all[0]!, 6);
    await engines.all[0]!.publishMany(20);
    await engines.open({ webhookSink });
    await engines.all[0]!.publishMany(20, 21);
    await engines.time.runUntil(() => isEven(engines.shares(ids)), 20_000);
    await engines.all[1]!.publishMany(20, 41);
    await engines.time.advance(5_000);
    expect(seen.length).toBe(6 * 60);
    expect(new Set(seen).size).toBe(60);
    expect(seen.every((one) => one.endsWith('#1'))).toBe(true);
    await engines.close();
  });

  it('stay where an attempt takes long, and go on being delivered there', async () => {
    const slow = () => ({
      deliver: async (batch: readonly unknown[]) => {
        started++;
        await engines.time.wait(20_000);
        return batch.map(() => ({ status: 'delivered' as const }));
      },
      close: async () => {},
    });
    let started = 0;
    const engines = await SeveralEngines.of(1, { webhookSink: slow });
    const ids = await manyWebhooks(engines.all[0]!, 2);
    await engines.time.advance(2_000);
    await engines.all[0]!.publishMany(1);
    await engines.time.advance(100);
    await engines.open({ webhookSink: slow });
    await engines.time.advance(5_000);
    expect(engines.shares(ids)).toEqual([2, 0]);
    await engines.time.advance(60_000);
    expect(isEven(engines.shares(ids)), String(engines.shares(ids))).toBe(true);
    expect(started).toBe(2);
    await engines.close();
  });
});

describe('a subscription that can do without a member', () => {
  it('passes to the process where one is', async () => {
    const { webhookSink } = takesAll();
    const engines = await SeveralEngines.of(3, { webhookSink });
    const [a, b, c] = engines.all as [EngineUnderTest, EngineUnderTest, EngineUnderTest];
    const fallbackWebhook = 'http://receiver.test/';
    const { id } = await a.subscribe({ name: 'f', realtime: true, endpoint: fallbackWebhook });
    await engines.time.advance(5_000);
    const owner = engines.ownerOf(id)!;
    const other = [a, b, c].find((bus) => bus !== owner)!;
    const sink = { deliver: (batch: readonly unknown[]) => batch.map(() => ({ status: 'delivered' as const })) };
    await engines.time.run(
      other.engine.subscriptions.subscribe(
        { id: 'x', kind: 'anonymous' },
        { topic: '#', name: 'f', fallbackWebhook },
        { sink: { ...sink, close: async () => {} } },
      ),
    );
    // A third process may look before it hears for whom it became free: that one has it for a second.
    await engines.time.advance(2_500);
    expect(engines.ownerOf(id)).toBe(other);
    await engines.time.advance(30_000);
    expect(engines.ownerOf(id)).toBe(other);
    await engines.close();
  });

  it('with nobody at its owner passes to the process of its member, and to another one when that leaves', async () => {
    const engines = await SeveralEngines.of(2);
    const [a, b] = engines.all as [EngineUnderTest, EngineUnderTest];
    const { id } = await attachHandler(a);
    await engines.time.advance(2_000);
    await attachHandler(b);
    await engines.time.advance(2_000);
    expect(engines.ownerOf(id)).toBe(a);
    await engines.time.run(a.engine.subscriptions.detach({ id: 'x', kind: 'anonymous' }, id));
    await engines.time.advance(1_000);
    expect(engines.ownerOf(id)).toBe(b);
    await engines.close();
  });
});

describe('a subscription whose events one process replaces by something else', () => {
  it('passes to that process', async () => {
    const { webhookSink } = takesAll();
    const engines = await SeveralEngines.of(2, { webhookSink, webSocketSink: webhookSink });
    const { id } = await engines.all[0]!.subscribe({ name: 'ws', endpoint: 'ws://receiver.test/' });
    await engines.time.advance(3_000);
    const owner = engines.ownerOf(id)!;
    const other = engines.all.find((bus) => bus !== owner)!;
    other.engine.subscriptions.enrich(id, (event) => ({ ...event, more: true }));
    await engines.time.advance(3_000);
    expect(engines.ownerOf(id)).toBe(other);
    await engines.time.advance(30_000);
    expect(engines.ownerOf(id)).toBe(other);
    await engines.close();
  });
});
