import { ANONYMOUS, encodeCursor, type StreamFrame } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest } from '../open-engine.ts';

const MINUTE = 60_000;
const RETENTION = { eventsMax: 5 };

const told = (frames: readonly StreamFrame[]) =>
  frames.map((frame) => (frame.kind === 'gap' ? frame.cause : (frame.event.payload as { n: number }).n));

/** Frames until the stream stands at `n`. */
async function readTo(under: EngineUnderTest, from: string, n: number) {
  const stream = await under.time.run(under.engine.history.stream(ANONYMOUS, { from }));
  const seen: (number | string)[] = [];
  while (seen.at(-1) !== n) seen.push(...told(await under.time.run(stream.next())));
  stream.close();
  return seen;
}

it('tells a cursor that stands before the log of the gap, once, and goes on behind it', async () => {
  const world = durableWorld();
  const under = await world.open({ retention: RETENTION });
  await under.publishMany(12);
  await world.time.advance(MINUTE);
  expect(await readTo(under, encodeCursor([{ partition: 0, position: 3 }]), 12)).toEqual(['trimmed', 8, 9, 10, 11, 12]);
  expect(await readTo(under, encodeCursor([{ partition: 0, position: 7 }]), 12)).toEqual([8, 9, 10, 11, 12]);
  expect(await readTo(under, 'earliest', 12)).toEqual([8, 9, 10, 11, 12]);
  await under.close();
});

it('shows no stream what left the log, though memory has it still', async () => {
  const world = durableWorld();
  const under = await world.open({ retention: RETENTION });
  const reader = await world.time.run(under.engine.history.stream(ANONYMOUS, { from: 'latest' }));
  await under.publishMany(12);
  expect(told(await world.time.run(reader.next()))).toHaveLength(12);
  await world.time.advance(MINUTE);
  expect(await readTo(under, encodeCursor([{ partition: 0, position: 3 }]), 12)).toEqual(['trimmed', 8, 9, 10, 11, 12]);
  reader.close();
  await under.close();
});

it('tells a stream whose reader was slow, also when nothing is left and after a restart', async () => {
  const world = durableWorld();
  let under = await world.open({ retention: RETENTION });
  await under.publishMany(3);
  const slow = await world.time.run(under.engine.history.stream(ANONYMOUS, { from: 'earliest' }));
  expect(told(await world.time.run(slow.next()))).toEqual([1, 2, 3]);
  const { cursor } = slow;
  await under.publishMany(30, 4);
  await world.time.advance(MINUTE);
  const seen: (number | string)[] = [];
  while (seen.at(-1) !== 33) seen.push(...told(await world.time.run(slow.next())));
  expect(seen).toEqual(['trimmed', 29, 30, 31, 32, 33]);
  slow.close();
  await under.close();

  under = await world.open({ retention: { ageMs: MINUTE } });
  await world.time.advance(3 * MINUTE);
  expect((await world.time.run(world.kept.kept.store.bounds()))[0]).toMatchObject({ first: 34, head: 33 });
  const stream = await world.time.run(under.engine.history.stream(ANONYMOUS, { from: cursor }));
  expect(told(await world.time.run(stream.next()))).toEqual(['trimmed']);
  await under.publishMany(1, 34);
  expect(told(await world.time.run(stream.next()))).toEqual([34]);
  stream.close();
  await under.close();
});

it('lets a subscription that begins before the log begin with what is left', async () => {
  const world = durableWorld();
  const under = await world.open({ retention: RETENTION });
  await under.publishMany(12);
  await world.time.advance(MINUTE);
  const got: number[] = [];
  const startFrom = { cursor: encodeCursor([{ partition: 0, position: 2 }]) };
  const handler = (event: { payload: unknown }) => void got.push((event.payload as { n: number }).n);
  await under.subscribe({ name: 'late', handler, options: { startFrom } });
  await under.settled();
  expect(got).toEqual([8, 9, 10, 11, 12]);
  await under.close();
});

it('does not believe a wall clock that jumps ahead, and forgets no id before its event', async () => {
  const world = durableWorld();
  const under = await world.open({ retention: { ageMs: 60 * MINUTE } });
  const first = await under.publish({ id: '0198c0de-0000-7000-8000-000000000001' });
  world.time.jumpWall(24 * 60 * MINUTE);
  await world.time.advance(MINUTE);
  expect((await world.time.run(world.kept.kept.store.bounds()))[0]).toMatchObject({ first: 1 });
  expect((await under.publish({ id: first.id })).duplicate).toBe(true);
  await world.time.advance(61 * MINUTE);
  expect((await under.publish({ id: first.id })).duplicate).toBe(false);
  await under.close();
});

it('follows another policy at once, and stops when there is none any more', async () => {
  const world = durableWorld();
  const under = await world.open({});
  await under.publishMany(10);
  under.engine.retention.follow({ eventsMax: 4 });
  await world.time.settle();
  await world.time.advance(1);
  expect((await world.time.run(world.kept.kept.store.bounds()))[0]).toMatchObject({ first: 7 });
  under.engine.retention.follow(undefined);
  await under.publishMany(10, 11);
  await world.time.advance(10 * MINUTE);
  expect((await world.time.run(world.kept.kept.store.bounds()))[0]).toMatchObject({ first: 7, head: 20 });
  expect(() => under.engine.retention.follow({ topics: {} } as object)).toThrow(/one limit for all topics/);
  await under.close();
});
