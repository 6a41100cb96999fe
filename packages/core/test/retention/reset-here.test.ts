import { ANONYMOUS } from '@event-manager/core';
import { expect, it } from 'vitest';
import { decodeCursor } from '../../src/query/cursor.ts';
import { durableWorld } from '../open-engine.ts';
import { attachHandler } from '../several-engines.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

it('removes nothing that a reset of this process, which is being committed, will owe', async () => {
  const world = durableWorld();
  const bus = await world.open({ retention: { ageMs: MINUTE, owedAgeMs: 60 * MINUTE } });
  const { id, seen } = await attachHandler(bus);
  await bus.publishMany(10);
  await bus.time.advance(55 * SECOND);
  await bus.publishMany(1, 11);
  await bus.time.advance(4 * SECOND);
  seen.length = 0;
  // A slow disk: the commit of the reset takes longer than a step of retention.
  const { state } = world.kept.kept;
  const commit = state.commit.bind(state);
  let isCommitting = false;
  state.commit = async (changes) => {
    if (changes.some(({ kind, key }) => kind === 'audit' && key.startsWith('reset/'))) {
      isCommitting = true;
      await bus.time.wait(15 * SECOND);
    }
    return commit(changes);
  };
  const resetting = bus.engine.subscriptions.resets.reset(ANONYMOUS, id, { to: 'earliest' });
  await bus.time.advance(MINUTE);
  const { to } = await resetting;
  expect(isCommitting).toBe(true);
  const owedFrom = (decodeCursor(to)[0]?.position ?? 0) + 1;
  await bus.settled();
  expect(seen).toHaveLength(11 - owedFrom + 1);
  await bus.close();
});
