import { expect, it } from 'vitest';
import { checksum } from '../../src/format/checksum.ts';
import { readAll } from '../support/read-all.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { Simulation, settle } from '../support/simulation.ts';

/** The same log twice: once answered from memory, once from index files. They must agree in everything. */
it('answers as the index in memory does', async () => {
  const whole = new Simulation(1);
  const memory = await whole.open({ segmentBytesMax: 1 << 20 });
  const simulation = new Simulation(1);
  const sealed = await simulation.open({ segmentBytesMax: 4096 });
  for (let n = 1; n <= 150; n++) {
    await memory.store.append([sampleEvent(n)]);
    await sealed.store.append([sampleEvent(n)]);
    // Every event at a time of its own, for searches by time.
    await Promise.all([whole.elapse(1), simulation.elapse(1)]);
    if (n % 10 === 0) await settle();
  }
  expect(simulation.disk.paths().filter((path) => path.endsWith('.index')).length).toBeGreaterThan(8);
  const queries = [
    {},
    { topic: 'area/1/1' },
    { topic: 'area.*.2' },
    { topic: 'area/+/0', types: ['kind3.happened'] },
    { types: ['kind1.*', 'kind2.happened'] },
    { types: ['nothing'] },
    { sources: ['test', 'other'], correlationId: 'flow-9' },
    { priorities: [2 as const] },
    { priorities: [0 as const] },
    { userId: 'nobody' },
    { fromMs: 1_000_040, toMs: 1_000_090 },
    { fromMs: 1_000_100 },
    { toMs: 1_000_100, types: ['kind1.*'] },
    { fromMs: 2_000_000 },
    { toMs: 1_000 },
    { causationIds: ['cause-89', 'cause-98', 'cause-17', 'cause-100'] },
  ];
  for (const query of queries) {
    for (const direction of ['forward', 'backward'] as const) {
      for (const limit of [3, 1000]) {
        const options = { limit, direction, budgetMs: 1e9, after: { partition: 0, position: 70 } };
        const [expected, found] = await Promise.all([
          memory.store.find(query, options),
          sealed.store.find(query, options),
        ]);
        const positions = found.records.map(({ place }) => place.position);
        expect(positions, JSON.stringify(query)).toEqual(expected.records.map(({ place }) => place.position));
      }
    }
  }
  const ids = Array.from({ length: 160 }, (_, n) => sampleEvent(n).id);
  expect(await sealed.store.get(ids)).toEqual(await memory.store.get(ids));
  await Promise.all([memory.close(), sealed.close()]);
});

it('is made anew from the segment when its file is damaged while it is in use', async () => {
  const simulation = new Simulation(2);
  const adapter = await simulation.open();
  for (let n = 1; n <= 60; n++) await adapter.store.append([sampleEvent(n)]);
  await settle();
  for (const path of simulation.disk.paths().filter((name) => name.endsWith('.index'))) {
    const { length } = simulation.disk.contents(path);
    for (let at = 600; at < length; at += 64) simulation.disk.flipBit(path, at * 8);
  }
  const found = await adapter.store.find(
    { correlationId: 'flow-2' },
    { limit: 10, direction: 'forward', budgetMs: 1e9 },
  );
  expect(found.records.map(({ place }) => place.position)).toEqual([8, 9, 10, 11]);
  expect((await readAll(adapter.store)).records).toHaveLength(60);
  expect((await adapter.store.append([sampleEvent(3)]))[0]).toMatchObject({ status: 'duplicate' });
  expect(adapter.health().status).toBe('ok');
  await adapter.close();
});

it('finds by cause what is in segments whose index was made anew, and where it is older than that dimension', async () => {
  const simulation = new Simulation(3);
  const adapter = await simulation.open();
  for (let n = 1; n <= 60; n++) await adapter.store.append([sampleEvent(n)]);
  await settle();
  await adapter.close();
  const indexes = simulation.disk.paths().filter((path) => path.endsWith('.index'));
  expect(indexes.length).toBeGreaterThan(3);
  const query = { causationIds: ['cause-17', 'cause-53'] };
  const options = { limit: 10, direction: 'forward', budgetMs: 1e9 } as const;
  for (const prepare of [damage, forgetCauses]) {
    for (const path of indexes) prepare(simulation.disk, path);
    const again = await simulation.open();
    const { records } = await again.store.find(query, options);
    expect(records.map(({ place }) => place.position)).toEqual([18, 54]);
    await settle();
    await again.close();
  }
});

function damage(disk: Simulation['disk'], path: string): void {
  disk.flipBit(path, 100 * 8);
}

/** As an index file was before it knew of causes: nothing but zeros where the table of sections goes on now. */
function forgetCauses(disk: Simulation['disk'], path: string): void {
  const bytes = Buffer.from(disk.contents(path));
  const wanted = Buffer.from(bytes);
  wanted.fill(0, 80 + 26 * 8, 80 + 29 * 8);
  wanted.writeUInt32LE(checksum(wanted, 0, 508), 508);
  for (let bit = 0; bit < 512 * 8; bit++) {
    const mask = 1 << (bit % 8);
    if ((bytes[bit >> 3]! & mask) !== (wanted[bit >> 3]! & mask)) disk.flipBit(path, bit);
  }
}
