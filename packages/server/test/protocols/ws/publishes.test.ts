import { ANONYMOUS, Engine, memory, parseJson, systemRuntime } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import type { OperationContext } from '../../../src/operations/operation-context.ts';
import { Publishes } from '../../../src/protocols/ws/publishes.ts';

/** A clock on which every event takes a whole slice of its turn: every batch is taken in over as many turns as it has events. */
function slowRuntime() {
  let nowMs = 0;
  const clock = { wallMs: () => Date.now(), monotonicMs: () => (nowMs += 1_000) };
  return { ...systemRuntime, clock };
}

it('takes in the frames of a connection one behind the other, however long one of them takes', async () => {
  const engine = await Engine.open({ adapter: memory(), runtime: slowRuntime() });
  onTestFinished(() => engine.close());
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = 50 + 1 + 20_000 + 1 + 3;
  const publishes = new Publishes({
    context: { engine } as unknown as OperationContext,
    answer: () => {},
    onAnswered(count) {
      left -= count;
      if (left === 0) resolve();
    },
    onInternal: (error) => expect.fail(String(error)),
  });
  let number = 0;
  const event = () => parseJson(`{"type":"a","source":"s","payload":{"n":${number++}}}`, engine.limits);
  publishes.many(1, Array.from({ length: 50 }, event));
  publishes.one(2, event());
  // Refused as a whole: too many events.
  publishes.many(3, Array(20_000).fill(undefined));
  publishes.one(4, event());
  publishes.many(5, Array.from({ length: 3 }, event));
  await promise;
  const { records } = await engine.history.find(ANONYMOUS, {}, { limit: 100, direction: 'forward' });
  const stored = records.map(({ body }) => JSON.parse(Buffer.from(body).toString()).payload.n);
  expect(stored).toEqual([...Array(number).keys()]);
});
