import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../../open-engine.ts';
import { fixedRetry } from '../../open-engine.ts';
import { attachHandler, CALM, type Seen, SeveralEngines } from '../../several-engines.ts';

const CALLS = 64;
const LOSSY = { ...CALM, letterLossShare: 0.2, letterTwiceShare: 0.1 };

/** Two processes of which the other one, that does not serve the subscription, has `CALLS` under way. */
async function busyElsewhere(trouble: typeof CALM, seed: number) {
  const engines = await SeveralEngines.of(2, {}, seed, trouble);
  const [owner, other] = engines.all as [EngineUnderTest, EngineUnderTest];
  const gate = Promise.withResolvers<void>();
  const options = { maxConcurrency: CALLS, timeoutMs: 60_000, retryPolicy: fixedRetry(0) };
  const here = await attachHandler(owner, { options, tookMs: 1 });
  await engines.time.advance(2_000);
  const there = await attachHandler(other, { options }, () => gate.promise);
  await engines.time.advance(3_000);
  expect(engines.ownerOf(here.id)).toBe(owner);
  for (let published = 0; there.seen.length < CALLS; published += CALLS) {
    await owner.publishMany(CALLS, 1 + published);
    await engines.time.advance(500);
  }
  return { engines, owner, other, gate, here, there };
}

/** Attempts of events that had one before. */
function again(...members: readonly Seen[]): string[] {
  const numbers = new Set<number>();
  return members
    .flatMap(({ seen }) => seen)
    .filter((one) => {
      const number = Number.parseInt(one, 10);
      return numbers.size === numbers.add(number).size;
    });
}

describe('a process that stops in order', () => {
  it.each([
    ['no letter is lost', CALM, 1],
    ['a fifth of the letters is lost', LOSSY, 20],
  ])('has told what its members made of 64 deliveries of another one, where %s', async (_where, trouble, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { engines, owner, other, gate, here, there } = await busyElsewhere(trouble, seed);
      const closing = other.engine.close();
      engines.time.after(200, () => gate.resolve());
      engines.all.splice(1, 1);
      await engines.time.run(closing);
      await engines.time.advance(70_000);
      expect(again(here, there), `seed ${seed}`).toEqual([]);
      expect(owner.status(here.id), `seed ${seed}`).toMatchObject({ owed: 0, inFlight: 0, counts: { failed: 0 } });
      await engines.close();
    }
  });

  /** If it failed, a process that dies while it stops would hold up what it had until its time is over, and spend a retry. */
  it('gives back what it had when it dies before that', async () => {
    const { engines, owner, other, here, there } = await busyElsewhere(CALM, 1);
    void other.engine.close();
    await engines.time.advance(500);
    expect(owner.status(here.id)).toMatchObject({ members: 1, inFlight: CALLS });
    engines.crash(other);
    await engines.time.advance(10_000);
    expect(again(there, here).length).toBe(CALLS);
    expect(owner.status(here.id)).toMatchObject({ owed: 0, inFlight: 0, counts: { failed: 0 } });
    await engines.close();
  });

  it('hears, as the one that serves them, of all that was under way elsewhere', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { engines, owner, gate, here, there } = await busyElsewhere(LOSSY, seed);
      const closing = owner.engine.close();
      engines.time.after(200, () => gate.resolve());
      engines.all.splice(0, 1);
      await engines.time.run(closing);
      await engines.time.advance(30_000);
      expect(again(here, there), `seed ${seed}`).toEqual([]);
      await engines.close();
    }
  });
});
