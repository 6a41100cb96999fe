import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, openMemory } from '../open-engine.ts';

const PATIENT: RetryPolicy = { ...DEFAULT_RETRY_POLICY, maxRetries: 20, maxDelay: 60_000 };

async function retryOf(bus: EngineUnderTest, request: object): Promise<RetryPolicy> {
  const { options } = await bus.subscribe({ handler: () => {}, ...request });
  return options.retry;
}

it('is for subscriptions that say nothing about retries, and for no others', async () => {
  const bus = await openMemory({ retryPolicy: PATIENT });
  expect(await retryOf(bus, {})).toEqual(PATIENT);
  expect(await retryOf(bus, { options: { batchSize: 2 } })).toEqual(PATIENT);
  const few = { ...DEFAULT_RETRY_POLICY, maxRetries: 1 };
  expect(await retryOf(bus, { options: { retryPolicy: { maxRetries: 1 } } })).toEqual(few);
  expect(await retryOf(bus, { options: { retryPolicy: DEFAULT_RETRY_POLICY } })).toEqual(DEFAULT_RETRY_POLICY);
  expect(await retryOf(await openMemory(), {})).toEqual(DEFAULT_RETRY_POLICY);
});

it('leaves a named subscription as it was agreed on when the default changes', async () => {
  // Otherwise an application that subscribes when it starts would find its name in conflict after a change of the service.
  const { open } = durableWorld();
  const before = await open({ retryPolicy: PATIENT });
  expect(await retryOf(before, { name: 'billing' })).toEqual(PATIENT);
  await before.close();
  const after = await open({ retryPolicy: { ...PATIENT, maxRetries: 5 } });
  expect(await retryOf(after, { name: 'billing' })).toEqual(PATIENT);
  const options = { retryPolicy: { ...PATIENT, maxRetries: 5 } };
  await expect(retryOf(after, { name: 'billing', options })).rejects.toMatchObject({ code: 'subscription_conflict' });
  expect(await retryOf(after, { name: 'audit' })).toMatchObject({ maxRetries: 5 });
});

it('is filled up where it says only a part, and refused where it cannot be', async () => {
  // A delay that is no number would stand in the timetable of all subscriptions, and nothing behind it would come.
  const bus = await openMemory({ retryPolicy: { maxRetries: 1 } });
  expect(await retryOf(bus, {})).toEqual({ ...DEFAULT_RETRY_POLICY, maxRetries: 1 });
  await expect(openMemory({ retryPolicy: { maxRetries: -1 } })).rejects.toMatchObject({
    details: { pointer: '/retryPolicy/maxRetries' },
  });
});
