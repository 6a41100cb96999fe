import { ANONYMOUS, type JsonObject, type JsonValue, type Outcome } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, sinkOf } from '../open-engine.ts';

const DELIVERED: Outcome = { status: 'delivered' };
/** As a value: what an event has must be exactly this. */
const RANGE = { min: 1, max: 5 };

/** A subscription by a definition that an earlier version took; this one refuses its filter and some of its options. */
async function servedAsKept(size: JsonObject = RANGE) {
  const world = durableWorld();
  const seen: JsonValue[] = [];
  const sink = sinkOf(async (batch) =>
    batch.map(({ record }) => {
      seen.push(JSON.parse(Buffer.from(record.body).toString()).payload);
      return DELIVERED;
    }),
  );
  const open = () => world.open({ webhookSink: () => sink });
  const first = await open();
  const { id } = await first.subscribe({ name: 'old', endpoint: 'https://receiver.example/' });
  first.crash();
  const { state } = world.kept.kept;
  const [entry] = await state.get('subscription', [id]);
  const { options, ...definition } = entry!.value as { options: JsonObject };
  const value = {
    ...definition,
    filter: { payload: { size } },
    options: { ...options, onFailure: 'park', flushIntervalMs: 10 },
  };
  await state.commit([{ kind: 'subscription', key: id, value }]);
  const bus = await open();
  const change = (changes: JsonObject) => bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, changes));
  return { bus, seen, change };
}

it('goes on by a definition that would be refused today, and takes a change of anything else of it', async () => {
  const { bus, seen, change } = await servedAsKept();
  await bus.publish({ payload: { size: RANGE } });
  await bus.publish({ payload: { size: 3 } });
  await bus.settled();
  expect(seen).toEqual([{ size: RANGE }]);
  const changed = await change({ options: { maxConcurrency: 2 } });
  expect(changed).toMatchObject({ filter: { payload: { size: RANGE } }, options: { maxConcurrency: 2 } });
  await bus.publish({ payload: { size: RANGE } });
  await bus.settled();
  expect(seen).toHaveLength(2);
  await bus.close();
});

it('refuses what it says when it is said anew, with words for what may be meant', async () => {
  const { bus, change } = await servedAsKept();
  const refused = change({ filter: { payload: { size: RANGE } } });
  await expect(refused).rejects.toThrow(/There is no operator min: numeric compares.*"equals"/);
  const filter = { payload: { size: { equals: RANGE } } };
  expect(await change({ filter })).toMatchObject({ filter });
  await bus.close();
});

it('is found by its name also without the options that change nothing, which nobody may say any more', async () => {
  const size = { equals: RANGE };
  const { bus } = await servedAsKept(size);
  const [definition] = bus.engine.subscriptions.list(ANONYMOUS);
  const request = { name: 'old', endpoint: 'https://receiver.example/', filter: { payload: { size } } };
  expect(await bus.subscribe(request)).toEqual(definition);
  await bus.close();
});
