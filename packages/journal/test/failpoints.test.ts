import { readdir, readFile } from 'node:fs/promises';
import { FAILPOINTS } from '@event-manager/journal';
import { expect, it } from 'vitest';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';

const SOURCE = new URL('../src/', import.meta.url);

it('the list of failpoints and the source say the same', async () => {
  const called = new Set<string>();
  for (const name of await readdir(SOURCE, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const text = await readFile(new URL(name, SOURCE), 'utf8');
    for (const [, failpoint] of text.matchAll(/\.failpoint\('([^']+)'\)/g)) called.add(failpoint!);
  }
  expect([...called].sort()).toEqual([...FAILPOINTS].sort());
});

it('an ordinary life with one crash and one full disk passes every failpoint', async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open({ stateLogBytesMax: 1_000 });
  for (let n = 0; n < 60; n++) {
    await adapter.store.append([sampleEvent(n)]);
    await adapter.state.commit([{ kind: 'topic', key: `${n}`, value: n }]);
    if (n % 10 === 0) await settle();
  }
  await adapter.store.trim([{ partition: 0, position: 30 }]);
  simulation.disk.fill(0);
  await expect(adapter.store.append([sampleEvent(100)])).rejects.toMatchObject({ code: 'disk_full' });
  simulation.disk.fill(Number.POSITIVE_INFINITY);
  simulation.endProcess('kill');
  const newest = simulation.disk
    .paths()
    .filter((path) => /events-.*\.log$/.test(path))
    .at(-1)!;
  simulation.disk.plant(newest, Buffer.concat([simulation.disk.contents(newest), Buffer.from('torn')]));
  const reopened = await simulation.open();
  await reopened.close();
  const missing = FAILPOINTS.filter((name) => !simulation.fired.includes(name));
  expect(missing).toEqual([]);
});
