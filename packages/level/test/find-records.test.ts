import { LevelDBEventStore } from '@event-manager/level';
import { sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/temporary-folder.ts';

it('looks at a bounded number of events in one read, and says where to go on', async () => {
  const store = new LevelDBEventStore(temporaryFolder());
  await store.append([...sampleEvents(6_000), ...sampleEvents(1, 6_000, { topic: 'rare/topic', type: 'rare.type' })]);
  const first = await store.read({ types: ['rare.*'], limit: 10 });
  expect(first).toEqual({ records: [], next: 5_000, first: 1, head: 6_001 });
  const second = await store.read({ types: ['rare.*'], limit: 10, after: first.next });
  expect(second.records.map(({ id }) => id)).toEqual([sampleId(6_000)]);
  expect(second.next).toBeUndefined();
  // By its index it is found at once.
  const byTopic = await store.read({ topic: 'rare.topic', limit: 10 });
  expect(byTopic.records.map(({ position }) => position)).toEqual([6_001]);
  await store.close();
});
