import { ANONYMOUS, decodeCursor, type Outcome, type Sink, type StateStore } from '@event-manager/core';
import { expect, it } from 'vitest';
import { CALM, SeveralEngines, takesAll } from '../several-engines.ts';

/** A receiver that answers when it is told to, and nothing before. */
function slowReceiver() {
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  const sink: Sink = {
    deliver: async (batch): Promise<readonly Outcome[]> => {
      await promise;
      return batch.map(() => ({ status: 'delivered' }));
    },
    close: async () => {},
  };
  return { answer, webhookSink: () => sink };
}

/** Commits of progress that say under no lease that they are made. */
function withoutLease(state: StateStore): readonly unknown[] {
  const found: unknown[] = [];
  const commit = state.commit.bind(state);
  const watch: StateStore['commit'] = (changes, ...rest) => {
    found.push(...changes.filter((change) => change.kind === 'progress' && change.lease === undefined));
    return commit(changes, ...rest);
  };
  Object.assign(state, { commit: watch });
  return found;
}

/** Its owner had not heard of what was published elsewhere: it took the place for the end of a longer log, and delivered what lay before. */
it('skips also what the process that serves the subscription has not routed yet', async () => {
  // No hint arrives: it learns of events when it looks by itself.
  const engines = new SeveralEngines(7, { ...CALM, hintLossShare: 1 });
  const { webhookSink, seen } = takesAll();
  for (let count = 0; count < 2; count++) await engines.open({ webhookSink });
  await engines.time.advance(2_000);
  const { id } = await engines.all[0]!.subscribe({ topic: '#', name: 's', endpoint: 'https://a.example/' });
  await engines.time.advance(2_000);
  const owner = engines.ownerOf(id)!;
  const other = engines.all.find((bus) => bus !== owner)!;
  await other.publishMany(3);
  const { resets } = other.engine.subscriptions;
  const { to } = await engines.time.run(resets.reset(ANONYMOUS, id, { to: 'latest' }));
  expect(decodeCursor(to)).toEqual([{ partition: 0, position: 3 }]);
  await engines.time.advance(5_000);
  await other.publishMany(1, 4);
  await engines.time.advance(5_000);
  expect(seen).toEqual(['4#1']);
  await engines.close();
});

/** The second of two resets that waited at a process found nothing served there, and so committed under no lease what another one served. */
it('commits nothing where the lease is gone when the turn of the reset comes, and asks who has it', async () => {
  const engines = new SeveralEngines(7, CALM);
  const { answer, webhookSink } = slowReceiver();
  for (let count = 0; count < 2; count++) await engines.open({ webhookSink });
  await engines.time.advance(2_000);
  const { id } = await engines.all[0]!.subscribe({ topic: '#', name: 's', endpoint: 'https://a.example/' });
  await engines.time.advance(2_000);
  const owner = engines.ownerOf(id)!;
  await owner.publishMany(3);
  await engines.time.advance(500);
  const found = withoutLease(engines.stateOf(owner));
  const { resets } = owner.engine.subscriptions;
  const asked = [1, 2].map(() => resets.reset(ANONYMOUS, id, { to: 'earliest' }).catch(() => undefined));
  await engines.time.advance(500);
  engines.sleep(owner, 20_000);
  await engines.time.advance(19_000);
  expect(engines.ownerOf(id)).not.toBe(owner);
  await engines.time.advance(10_000);
  const [first, second] = await engines.time.run(Promise.all(asked));
  expect(found).toEqual([]);
  // While it slept it lost what the first one was to move; the second is done by whoever serves that by then.
  expect([first, second?.id]).toEqual([undefined, id]);
  answer();
  await engines.close();
});
