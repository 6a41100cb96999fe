import { expect, it } from 'vitest';
import { readAll } from '../support/read-all.ts';
import { sampleEvent, sampleEvents } from '../support/sample-event.ts';
import { Simulation } from '../support/simulation.ts';

const MEGABYTE = 1 << 20;

it('a call larger than a batch becomes several writes and segments, in order, answered when all of it is durable', async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open({ segmentBytesMax: 10 * MEGABYTE });
  const events = sampleEvents(40, 0, MEGABYTE);
  const [large, small] = await Promise.all([adapter.store.append(events), adapter.store.append([sampleEvent(100)])]);
  expect(large.map((answer) => [answer.status, answer.place.position])).toEqual(
    events.map((_, index) => ['stored', index + 1]),
  );
  expect(small[0]!.place.position).toBe(41);
  const sizes = simulation.disk
    .paths()
    .filter((path) => /events-.*\.log$/.test(path))
    .map((path) => simulation.disk.contents(path).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(20 * MEGABYTE);
  simulation.endProcess('crash', 'lose-all');
  const reopened = await simulation.open({ segmentBytesMax: 10 * MEGABYTE });
  expect((await readAll(reopened.store)).records.map(({ id }) => id)).toEqual(
    [...events, sampleEvent(100)].map(({ id }) => id),
  );
  await reopened.close();
});

it('a large call that meets a full disk is refused as a whole, and no later part of it overtakes the refused one', async () => {
  const simulation = new Simulation(2);
  const adapter = await simulation.open({ segmentBytesMax: 64 * MEGABYTE });
  const events = sampleEvents(40, 0, MEGABYTE);
  simulation.disk.fill(30 * MEGABYTE);
  await expect(adapter.store.append(events)).rejects.toMatchObject({ code: 'disk_full' });
  simulation.disk.fill(Number.POSITIVE_INFINITY);
  await simulation.elapse(1_000);
  const again = await adapter.store.append(events);
  expect(again.map(({ place }) => place.position)).toEqual(events.map((_, index) => index + 1));
  expect(new Set(again.map(({ status }) => status))).toEqual(new Set(['duplicate', 'stored']));
  await adapter.close();
});
