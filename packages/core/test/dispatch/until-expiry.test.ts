import { ANONYMOUS, type Event } from '@event-manager/core';
import { expect, it } from 'vitest';
import { fixedRetry, openMemory } from '../open-engine.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it('ends a debt when its event expires, and not when its retry would have been due', async () => {
  const under = await openMemory();
  let attempts = 0;
  const handler = () => {
    attempts++;
    throw new Error('not now');
  };
  const { id } = await under.subscribe({ name: 'a', handler, options: { retryPolicy: fixedRetry(9, HOUR) } });
  await under.publish({ metadata: { expiresAt: new Date(under.time.wallMs() + MINUTE) } });
  expect(under.status(id)).toMatchObject({ owed: 1, counts: { failed: 1, expired: 0 } });
  await under.time.advance(MINUTE);
  await under.settled(1_000);
  expect(under.status(id)).toMatchObject({ owed: 0, counts: { failed: 1, expired: 1, deadLettered: 0 } });
  expect(attempts).toBe(1);
  await under.close();
});

it('lets the next event of a key go on when the one before expires', async () => {
  const under = await openMemory();
  const got: number[] = [];
  const handler = (event: Event) => {
    const { n } = event.payload as { n: number };
    if (n === 1) throw new Error('not now');
    got.push(n);
  };
  const options = { order: 'topic', retryPolicy: fixedRetry(9, HOUR) };
  const { id } = await under.subscribe({ name: 'a', handler, options });
  await under.publishMany(1, 1, { metadata: { expiresAt: new Date(under.time.wallMs() + MINUTE) } });
  await under.publishMany(2, 2);
  expect(got).toEqual([]);
  await under.time.advance(MINUTE);
  await under.settled(1_000);
  expect(got).toEqual([2, 3]);
  expect(under.status(id).counts).toMatchObject({ expired: 1, delivered: 2 });
  await under.close();
});

it('counts what expires while it waits behind a pause', async () => {
  const under = await openMemory();
  const { id } = await under.subscribe({ name: 'a', handler: () => {} });
  await under.time.run(under.engine.subscriptions.pause(ANONYMOUS, id));
  await under.publishMany(3, 1, { metadata: { expiresAt: new Date(under.time.wallMs() + MINUTE) } });
  await under.publishMany(1, 4);
  await under.time.advance(HOUR);
  await under.time.run(under.engine.subscriptions.resume(ANONYMOUS, id));
  await under.settled();
  expect(under.status(id).counts).toMatchObject({ expired: 3, delivered: 1 });
  await under.close();
});
