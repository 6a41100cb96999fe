import { ANONYMOUS, type JsonValue, type Sink } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../../open-engine.ts';
import { detach, SeveralEngines } from '../../several-engines.ts';

const JOINS = 500;

/** Two processes, of which the first serves the subscription, and what the second one names to it. */
async function announcing() {
  const engines = await SeveralEngines.of(2);
  const [owner, other] = engines.all as [EngineUnderTest, EngineUnderTest];
  const sent = { letters: 0, names: 0 };
  const { carry } = engines.shared;
  engines.shared.carry = (from: string, text: string, to: string | undefined) => {
    const { letters } = JSON.parse(text) as { letters: { kind: string; members?: JsonValue[] }[] };
    for (const { kind, members } of letters) {
      if (from !== 'b' || kind !== 'members') continue;
      sent.letters++;
      sent.names += members!.length;
    }
    carry.call(engines.shared, from, text, to);
  };
  const request = { topic: '#', name: 's' };
  const join = async (bus: EngineUnderTest, member: string) => {
    const sink: Sink = { deliver: (batch) => batch.map(() => ({ status: 'delivered' })), close: async () => {} };
    const { definition, attached } = await engines.time.run(
      bus.engine.subscriptions.join(ANONYMOUS, request, { sink, member }),
    );
    return { id: definition.id, attached: attached! };
  };
  const { id } = await join(owner, 'first');
  await engines.time.advance(2_000);
  return { engines, owner, other, sent, join, id };
}

describe('members that are named to the process that serves them', () => {
  /** If it failed, a thousand connections that come back after a restart would cost millions of names. */
  it('cost letters by their number when five hundred join, not by its square', async () => {
    const { engines, owner, other, sent, join, id } = await announcing();
    await join(other, 'member-0');
    await engines.time.advance(2_000);
    Object.assign(sent, { letters: 0, names: 0 });
    const beganAtMs = engines.time.monotonicMs();
    for (let n = 1; n < JOINS; n++) {
      await join(other, `member-${n}`);
      await engines.time.advance(2);
    }
    await engines.time.advance(100);
    const tookMs = engines.time.monotonicMs() - beganAtMs;
    expect(owner.status(id).members).toBe(JOINS + 1);
    process.stdout.write(`${JSON.stringify({ joins: JOINS, tookMs, ...sent })}\n`);
    // At most one in 50 ms for those that are new, and all of them, a hundred in a letter, twice a second.
    expect(sent.letters).toBeLessThan(tookMs / 50 + (tookMs / 500) * (JOINS / 100) + 10);
    expect(sent.names).toBeLessThan(JOINS + (tookMs / 500 + 2) * JOINS);
    const { letters } = sent;
    await engines.time.advance(10_000);
    expect(sent.letters - letters).toBeLessThanOrEqual(11 * (JOINS / 100));
    await engines.close();
  }, 60_000);

  it('are told of at once when one comes or leaves, and of several together', async () => {
    const { engines, owner, other, sent, join, id } = await announcing();
    const first = await join(other, 'a');
    await engines.time.advance(700);
    expect(owner.status(id).members).toBe(2);
    const { letters } = sent;
    for (const name of ['b', 'c', 'd']) await join(other, name);
    await engines.time.advance(60);
    expect(owner.status(id).members).toBe(5);
    expect(sent.letters - letters).toBeLessThanOrEqual(4);
    await engines.time.run(other.engine.subscriptions.detach(ANONYMOUS, id, { sink: first.attached.sink, drainMs: 0 }));
    await engines.time.advance(20);
    expect(owner.status(id).members).toBe(4);
    await detach(other, id, { drainMs: 0 });
    await engines.time.advance(60);
    expect(owner.status(id).members).toBe(1);
    await engines.close();
  });

  /** The one that serves looks at each of them for each delivery, wherever it sits. */
  it('have the room that there is for all processes together, and come in as others leave', async () => {
    const { engines, owner, other, join, id } = await announcing();
    const here = [];
    for (let n = 0; n < 699; n++) here.push(await join(owner, `here-${n}`));
    for (let n = 0; n < 301; n++) await join(other, `there-${n}`);
    await engines.time.advance(2_000);
    expect(owner.status(id).members).toBe(1_000);
    await expect(join(owner, 'one too many')).rejects.toMatchObject({ code: 'overloaded' });
    const { sink } = here[0]!.attached;
    await engines.time.run(owner.engine.subscriptions.detach(ANONYMOUS, id, { sink, drainMs: 0 }));
    expect(owner.status(id).members).toBe(999);
    await engines.time.advance(2_000);
    expect(owner.status(id).members).toBe(1_000);
    await engines.close();
  }, 60_000);
});
