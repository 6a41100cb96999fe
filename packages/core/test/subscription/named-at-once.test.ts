import { expect, it } from 'vitest';
import { SeveralEngines } from '../several-engines.ts';

const handler = () => {};

/** If this failed, workers that start together would have to try again, or one of them would not start. */
it('two processes that are told of one name at the same time join one subscription', async () => {
  const engines = await SeveralEngines.of(2);
  const [one, two] = engines.all;
  const request = { name: 'workers', topic: 'order.*', handler };
  const made = await Promise.all([one!.subscribe(request), two!.subscribe(request)]);
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  const other = two!.subscribe({ ...request, topic: 'alarm.*' });
  await expect(other).rejects.toMatchObject({ code: 'subscription_conflict', details: { pointer: '/name' } });
  await engines.close();
});

it('who comes second with something else is refused, as always', async () => {
  const engines = await SeveralEngines.of(2);
  const [one, two] = engines.all;
  const asked = await Promise.allSettled([
    one!.subscribe({ name: 'workers', topic: 'order.*', handler }),
    two!.subscribe({ name: 'workers', topic: 'alarm.*', handler }),
  ]);
  expect(asked.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(asked.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'subscription_conflict' },
  });
  await engines.close();
});
