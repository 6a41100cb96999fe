import { expect, it } from 'vitest';
import { verify } from '../src/cli/verify.ts';
import { Folder } from '../src/files/folder.ts';
import { sampleEvent } from './support/sample-event.ts';
import { DIRECTORY, Simulation, settle } from './support/simulation.ts';
import { WatchedDisk } from './support/watched-disk.ts';

async function usedDirectory(end: 'close' | 'kill'): Promise<Simulation> {
  const simulation = new Simulation(1);
  const adapter = await simulation.open();
  for (let n = 1; n <= 30; n++) await adapter.store.append([sampleEvent(n)]);
  await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
  await settle();
  if (end === 'close') await adapter.close();
  else simulation.endProcess('kill');
  return simulation;
}

it.each(['close', 'kill'] as const)(
  'an opening that fails at any file leaves no file open and no lock, and the next one succeeds (after %s)',
  async (end) => {
    for (let count = 0; ; count++) {
      const simulation = await usedDirectory(end);
      const disk = new WatchedDisk(simulation.disk.mount());
      disk.refuseOpenAfter(count);
      const adapter = simulation.journal({ disk, reserveBytes: 1_000 });
      const isOpen = await adapter.open().then(
        () => true,
        () => false,
      );
      await settle();
      if (!disk.hasRefused) break;
      if (isOpen) await adapter.close();
      expect(disk.openPaths, `file ${count} could not be opened`).toEqual([]);
      const next = await simulation.open();
      expect(next.health().status).toBe('ok');
      await next.close();
    }
  },
);

it('a verification that fails at any file leaves no file open', async () => {
  const simulation = await usedDirectory('close');
  for (let count = 0; ; count++) {
    const disk = new WatchedDisk(simulation.disk.mount());
    disk.refuseOpenAfter(count);
    await verify(new Folder(disk, simulation.runtime, DIRECTORY)).catch(() => {});
    expect(disk.openPaths).toEqual([]);
    if (!disk.hasRefused) break;
  }
});
