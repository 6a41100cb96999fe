import { ANONYMOUS, type Event } from '@event-manager/core';
import { expect, it } from 'vitest';
import { decodeCursor } from '../../src/query/cursor.ts';
import { durableWorld, type EngineUnderTest } from '../open-engine.ts';
import { attachHandler, detach, numbers, SeveralEngines } from '../several-engines.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const retention = { ageMs: MINUTE, owedAgeMs: 30 * DAY };

const reset = (bus: EngineUnderTest, id: string) =>
  bus.time.run(bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' }));

/** Ten that retention has looked at and removed, and ten that are still there and settled. */
async function publishTwice(bus: EngineUnderTest, settled: () => Promise<void>): Promise<void> {
  await bus.publishMany(10);
  await bus.time.advance(40 * SECOND);
  await bus.publishMany(10, 11);
  await settled();
}

it('holds what a subscription that nobody serves is owed by a reset', async () => {
  const world = durableWorld();
  const bus = await world.open({ retention });
  const { id, seen } = await attachHandler(bus);
  await publishTwice(bus, () => bus.time.advance(5 * SECOND));
  await detach(bus, id);
  await bus.time.advance(30 * SECOND);
  expect((await world.time.run(world.kept.kept.store.bounds()))[0]).toMatchObject({ first: 11, head: 20 });
  seen.length = 0;
  await reset(bus, id);
  await bus.time.advance(2 * MINUTE);
  const again = await attachHandler(bus);
  await bus.settled();
  expect(again.seen).toEqual(numbers(11, 20));
  expect(bus.engine.retention.counts).toMatchObject({ removedEvents: 10, removedDebts: 0 });
  await bus.close();
});

it('holds what a subscription that another process serves is owed by a reset', async () => {
  const engines = await SeveralEngines.of(2, { retention });
  const [leader, other] = engines.all as [EngineUnderTest, EngineUnderTest];
  let isSlow = false;
  const options = { maxConcurrency: 1, timeout: MINUTE };
  const { id, seen } = await attachHandler(other, { options }, async () => {
    if (isSlow) await engines.time.wait(20 * SECOND);
  });
  await publishTwice(leader, () => engines.time.advance(30 * SECOND));
  expect(leader.engine.retention.counts).toMatchObject({ removedEvents: 10 });
  expect(seen.splice(0)).toHaveLength(20);
  isSlow = true;
  await reset(leader, id);
  await engines.time.advance(MINUTE);
  expect(leader.engine.retention.counts.holding).toBe(1);
  // It went as far as its third event.
  expect(leader.engine.retention.counts.removedEvents).toBeLessThanOrEqual(13);
  isSlow = false;
  await engines.time.advance(30 * SECOND);
  expect(seen).toEqual(numbers(11, 20));
  await engines.close();
});

it('holds what is owed by a reset that came while the debts of another subscription ended', async () => {
  const world = durableWorld();
  let resetting: Promise<unknown> | undefined;
  let id = '';
  const bus: EngineUnderTest = await world.open({
    failpoint: (name) => {
      if (name !== 'retention.before-commit' || resetting) return;
      resetting = bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' });
    },
  });
  const handler = (_event: Event) => {};
  const settled = await bus.subscribe({ name: 'a', handler });
  id = settled.id;
  for (const name of ['b', 'c', 'd']) await detach(bus, (await bus.subscribe({ name, handler })).id);
  await bus.publishMany(10);
  await bus.time.advance(5 * SECOND);
  await detach(bus, id);
  bus.engine.retention.follow({ ageMs: MINUTE, owedAgeMs: MINUTE });
  await bus.time.advance(MINUTE + 11 * SECOND);
  await bus.time.run(resetting!);
  // What the reset owes is too old as well: it ends as a debt does, and is counted.
  expect(bus.engine.retention.counts).toMatchObject({ removedEvents: 10, removedDebts: 40 });
  await bus.close();
});

/** Ten events that are due and owed to nobody, one that is not due, and a subscription that the other process serves. */
async function dueNow(engines: SeveralEngines) {
  const [leader, other] = engines.all as [EngineUnderTest, EngineUnderTest];
  const { id, seen } = await attachHandler(other);
  await leader.publishMany(10);
  await engines.time.advance(55 * SECOND);
  await leader.publishMany(1, 11);
  await engines.time.advance(SECOND);
  expect(seen.splice(0)).toHaveLength(11);
  const isLeader = leader.engine.retention.counts.log !== undefined;
  expect(isLeader).toBe(true);
  return { leader, other, id, seen };
}

it('holds what is owed by a reset at another process that came after everybody was asked', async () => {
  const engines = await SeveralEngines.of(2, { retention });
  const { leader, other, id, seen } = await dueNow(engines);
  const state = engines.stateOf(leader);
  const commit = state.commit.bind(state);
  let resetting: Promise<unknown> | undefined;
  state.commit = async (changes) => {
    if (!resetting && changes.some(({ kind, key }) => kind === 'audit' && key.startsWith('trim/'))) {
      resetting = other.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' });
      await resetting;
    }
    return commit(changes);
  };
  await engines.time.advance(MINUTE);
  expect(resetting).toBeDefined();
  expect(seen).toEqual(numbers(1, 11));
  expect(other.engine.metrics().deliveries.removed).toBe(0);
  await engines.close();
});

it('goes on behind what another process is removing', async () => {
  const engines = await SeveralEngines.of(2, { retention });
  const { leader, other, id, seen } = await dueNow(engines);
  const store = engines.storeOf(leader);
  const trim = store.trim.bind(store);
  let resetting: ReturnType<typeof other.engine.subscriptions.resets.reset> | undefined;
  store.trim = async (upTo) => {
    resetting ??= other.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' });
    await resetting;
    return trim(upTo);
  };
  await engines.time.advance(30 * SECOND);
  // It does not promise what is gone a moment later.
  expect(decodeCursor((await resetting!).to)).toMatchObject([{ position: 10 }]);
  expect(seen).toEqual(numbers(11, 11));
  expect(other.engine.metrics().deliveries.removed).toBe(0);
  await engines.close();
});
