import { ANONYMOUS } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry } from '../open-engine.ts';
import { detach, SeveralEngines } from '../several-engines.ts';

const LETTERS = 1_000;

/** A subscription that nobody serves, with its dead letters. */
async function withLetters(bus: EngineUnderTest, count: number): Promise<string> {
  const options = { retryPolicy: fixedRetry(0), maxConcurrency: 100 };
  const handler = () => ({ success: false, retry: false, error: 'no' }) as const;
  const { id } = await bus.subscribe({ name: 's', handler, options });
  await bus.publishMany(count);
  await bus.time.advance(5_000);
  expect(await bus.deadLetters(id)).toHaveLength(count);
  await detach(bus, id);
  return id;
}

const reset = (bus: EngineUnderTest, id: string) =>
  bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' });

it('leaves the loop to others between the letters that a subscription is reset over', async () => {
  const { open, kept } = durableWorld();
  const bus = await open();
  const id = await withLetters(bus, LETTERS);
  const timers = bus.time.scope();
  let turns = 0;
  let pages = 0;
  let most = 0;
  kept.interfere = (call, [kind]) => {
    if (call !== 'load' || kind !== 'dead-letter') return;
    pages++;
    // Pages since somebody else had a turn.
    most = Math.max(most, pages - turns);
    timers.soon(() => {
      turns++;
    });
  };
  await bus.time.run(reset(bus, id));
  expect(pages).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(2);
  await bus.close();
});

it('keeps its lease while it looks at many letters', async () => {
  const engines = await SeveralEngines.of(1);
  const [bus] = engines.all as [EngineUnderTest];
  const id = await withLetters(bus, LETTERS);
  await engines.time.advance(20_000);
  const state = engines.stateOf(bus);
  const load = state.load.bind(state);
  state.load = async (kind, options) => {
    if (kind === 'dead-letter') await engines.time.wait(3_000);
    return load(kind, options);
  };
  const resetting = reset(bus, id).then(
    ({ to }) => to,
    ({ code }) => code,
  );
  await engines.time.advance(60_000);
  expect(await resetting).not.toBe('lease_lost');
  await engines.close();
});
