import { expect, it } from 'vitest';
import { readAll } from '../support/read-all.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { Simulation, settle } from '../support/simulation.ts';

it.each([
  ['in every lane', {}],
  ['in one lane', { lanes: [2] as const }],
])('a record that was damaged before the opening costs readers itself alone, %s', async (_, lanes) => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open();
  for (let n = 1; n <= 6; n++) await adapter.store.append([{ ...sampleEvent(n), lane: n === 3 ? 1 : 2 }]);
  await settle();
  await adapter.close();
  const path = simulation.disk.paths().find((name) => /events-.*\.log$/.test(name))!;
  const bytes = Buffer.from(simulation.disk.contents(path));
  for (const n of [3, 5]) bytes[bytes.indexOf(`"n":${n},`) + 1]! ^= 1;
  simulation.disk.plant(path, bytes);
  const reopened = await simulation.open();
  const seen: number[] = [];
  for (let after = 0; after < 6; ) {
    const page = await reopened.store.read(0, after, { limit: 100, bytesMax: 1 << 20, ...lanes });
    seen.push(...page.records.map(({ place }) => place.position));
    after = page.scannedTo;
  }
  expect(seen).toEqual([1, 2, 4, 6]);
  const { lost } = await readAll(reopened.store);
  expect(lost.map(({ from, through }) => [from, through])).toEqual([
    [3, 3],
    [5, 5],
  ]);
  await reopened.close();
});
