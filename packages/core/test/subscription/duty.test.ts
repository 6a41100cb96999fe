import { ANONYMOUS, type Event } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { openOn } from '../open-engine.ts';

/** Its lease was kept without service: nobody got an event any more until the process ended. */
it('serves whoever joins while the last member leaves and the subscription is changed', async () => {
  const time = new VirtualTime();
  const shared = new SimulatedShared({ time, chance: new SeededChance(3), stallShare: 0, hintLossShare: 0 });
  const bus = await openOn(shared.connect(), time, { owner: 'a' });
  const { subscriptions } = bus.engine;
  const finished = Promise.withResolvers<void>();
  const { id } = await bus.subscribe({ name: 's', handler: () => finished.promise });
  await time.advance(1_000);
  await bus.publishMany(1);
  await time.advance(1_000);

  const leaving = subscriptions.detach(ANONYMOUS, id);
  const changing = subscriptions.update(ANONYMOUS, id, { options: { maxConcurrency: 2 } });
  const seen: unknown[] = [];
  const handler = ({ payload }: Event) => void seen.push(payload['n']);
  const request = { topic: '#', name: 's', options: { maxConcurrency: 2 }, handler };
  const joining = subscriptions.subscribe(ANONYMOUS, request);
  finished.resolve();
  await time.run(Promise.all([leaving, changing, joining]));
  await bus.publishMany(1, 2);
  await time.advance(10_000);
  expect(seen).toEqual([2]);
  await bus.close();
});
