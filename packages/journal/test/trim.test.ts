import { expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';
import { WatchedDisk } from './support/watched-disk.ts';

it('removes segment files, also those whose removal a crash interrupted', async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open();
  for (let n = 1; n <= 60; n++) await adapter.store.append([sampleEvent(n)]);
  await settle();
  const segments = (): string[] => simulation.disk.paths().filter((path) => /events-.*\.log$/.test(path));
  const before = segments();
  simulation.disk.fail({ operation: 'remove', path: /events-.*\.log$/, code: 'EIO' });
  await adapter.store.trim([{ partition: 0, position: 40 }]).catch(() => {});
  expect(segments()).toEqual(before);
  simulation.endProcess('kill');
  const reopened = await simulation.open();
  expect(segments().length).toBeLessThan(before.length);
  expect(await reopened.store.bounds()).toMatchObject([{ partition: 0, first: 41, head: 60, events: 20 }]);
  expect((await readAll(reopened.store)).records).toHaveLength(20);
  await reopened.close();
});

it('does not disturb readers that are in the middle of a removed segment', async () => {
  const simulation = new Simulation(2);
  const adapter = await simulation.open();
  for (let n = 1; n <= 80; n++) await adapter.store.append([sampleEvent(n)]);
  await settle();
  const reading = Promise.all([
    adapter.store.find({ topic: 'area/1/1' }, { limit: 100, direction: 'forward', budgetMs: 1e9 }),
    adapter.store.read(0, 0, { limit: 1000, bytesMax: 1 << 30 }),
    adapter.store.get(Array.from({ length: 80 }, (_, n) => sampleEvent(n + 1).id)),
  ]);
  await adapter.store.trim([{ partition: 0, position: 70 }]);
  const [, read] = await reading;
  expect(read.scannedTo).toBe(80);
  expect(adapter.health().status).toBe('ok');
  await adapter.close();
});

it('leaves no index behind that was being written while its segment went, also when a crash comes first', async () => {
  for (const end of ['none', 'kill'] as const) {
    const simulation = new Simulation(3);
    const disk = new WatchedDisk(simulation.disk.mount());
    const adapter = await simulation.open({ disk });
    const orphans = (): string[] => {
      const paths = simulation.disk.paths();
      return paths.filter((path) => path.endsWith('.index') && !paths.includes(path.replace(/index$/, 'log')));
    };
    const hold = disk.hold('rename', /\.index$/);
    for (let n = 1; n <= 60; n++) await adapter.store.append([sampleEvent(n)]);
    await hold.begun;
    await adapter.store.trim([{ partition: 0, position: 40 }]);
    const left = disk.hold('remove', /\.index$/);
    hold.letGo();
    await left.begun;
    expect(orphans()).toHaveLength(1);
    if (end === 'kill') simulation.endProcess('kill');
    else left.letGo();
    await settle();
    const store = end === 'kill' ? await simulation.open() : adapter;
    await settle();
    expect(orphans(), end).toEqual([]);
    const [answer] = await store.store.append([sampleEvent(1)]);
    expect(answer!.status).toBe('stored');
    await store.close();
  }
});
