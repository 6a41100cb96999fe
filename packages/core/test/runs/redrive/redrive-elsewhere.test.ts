import { ANONYMOUS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../../open-engine.ts';
import { SeveralEngines } from '../../several-engines.ts';
import { byState, ended, redrive } from './redrive-world.ts';

type Two = [EngineUnderTest, EngineUnderTest];

/** Two processes with a member each, which refuse everything until they are well. */
async function twoWithMembers() {
  const engines = await SeveralEngines.of(2);
  const [a, b] = engines.all as Two;
  const receiver: { isWell: boolean; blocked?: EngineUnderTest } = { isWell: false };
  const seen: { by: EngineUnderTest; n: unknown; attempt: number }[] = [];
  const attach = (bus: EngineUnderTest) =>
    bus.subscribe({
      name: 's',
      options: { maxConcurrency: 1 },
      handler: ({ payload }, { attempt }) => {
        seen.push({ by: bus, n: payload['n'], attempt });
        if (receiver.blocked === bus) return new Promise(() => {});
        return receiver.isWell ? undefined : { success: false, retry: false };
      },
    });
  const { id } = await attach(a);
  await attach(b);
  await engines.time.advance(3_000);
  const owner = engines.ownerOf(id)!;
  const other = owner === a ? b : a;
  return { engines, owner, other, receiver, seen };
}

describe('a redrive of a subscription with members at several processes', () => {
  it('is asked for anywhere, and goes to all of them', async () => {
    const { engines, owner, other, receiver, seen } = await twoWithMembers();
    await owner.publishMany(40);
    await engines.time.advance(5_000);
    expect(byState(await other.deadLetters())).toEqual({ open: 40 });
    seen.length = 0;
    receiver.isWell = true;
    const run = await redrive(other, { all: true, rate: 1_000 });
    await ended(other, run);
    await engines.time.advance(3_000);
    expect(seen.map(({ n }) => Number(n)).sort((x, y) => x - y)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(new Set(seen.map(({ by }) => by)).size).toBe(2);
    expect(byState(await owner.deadLetters())).toEqual({ redriven: 40 });
    await engines.close();
  });

  it('hands an edited event also to a member at another process', async () => {
    const { engines, owner, other, receiver, seen } = await twoWithMembers();
    await owner.publishMany(1);
    await engines.time.advance(3_000);
    const [letter] = await other.deadLetters();
    // The member of the owner has no slot left, so the process of the other one has to find the event.
    receiver.isWell = true;
    receiver.blocked = owner;
    await owner.publishMany(4, 2);
    await engines.time.advance(3_000);
    seen.length = 0;
    await ended(other, await redrive(other, { id: letter!.id, payload: { n: 'edited' } }));
    await engines.time.advance(5_000);
    expect(seen.map(({ by, n, attempt }) => [by === other, `${n}#${attempt}`])).toEqual([[true, 'edited#2']]);
    await engines.close();
  });

  it('goes on at the process that takes the subscription over', async () => {
    const { engines, owner, other, receiver, seen } = await twoWithMembers();
    await owner.publishMany(100);
    await engines.time.advance(5_000);
    seen.length = 0;
    receiver.isWell = true;
    const run = await redrive(other, { all: true, rate: 20 });
    await engines.time.advance(2_000);
    engines.crash(owner);
    await ended(other, run);
    await engines.time.advance(10_000);
    const alive = seen.filter(({ by }) => by === other);
    const before = seen.filter(({ by }) => by === owner);
    expect(new Set(seen.map(({ n }) => n)).size).toBe(100);
    const names = seen.map(({ n, attempt }) => `${n}#${attempt}`);
    expect(new Set(names).size).toBe(names.length);
    expect([alive.length > 40, before.length > 0]).toEqual([true, true]);
    expect(byState(await other.deadLetters())).toEqual({ redriven: 100 });
    await engines.close();
  });

  it('is ended by the process that took the subscription over, and its cancel leaves the former one alone', async () => {
    const { engines, owner, other, receiver } = await twoWithMembers();
    await owner.publishMany(100);
    await engines.time.advance(5_000);
    receiver.isWell = true;
    const run = await redrive(other, { all: true, rate: 1 });
    await engines.time.advance(2_000);
    // What the owner says reaches the store when its lease is gone.
    const state = engines.stateOf(owner);
    const [commit, renew] = [state.commit.bind(state), state.renew.bind(state)];
    const refused: unknown[] = [];
    let isSlow = true;
    const slowly = async () => {
      if (isSlow) await engines.time.wait(15_000);
    };
    state.commit = async (changes) => {
      await slowly();
      return commit(changes).catch((error: unknown) => {
        refused.push(...changes.map(({ kind, value }) => kind === 'run-part' && (value as { state?: string }).state));
        throw error;
      });
    };
    state.renew = async (...args) => {
      await slowly();
      return renew(...args);
    };
    await engines.time.run(other.engine.runs.cancel(ANONYMOUS, run.id));
    await engines.time.advance(30_000);
    isSlow = false;
    await engines.time.advance(30_000);
    // A step was under way, and its cancel gave up behind it.
    expect(refused).toContain('open');
    await owner.publishMany(1, 200);
    const { parts } = await engines.time.run(owner.engine.runs.get(ANONYMOUS, run.id));
    expect(parts.map((part) => part.state)).toEqual(['cancelled']);
    await engines.close();
  });
});
