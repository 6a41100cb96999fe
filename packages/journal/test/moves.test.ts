import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, moveStore } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { runJournalCommand } from '@event-manager/journal/commands';
import { movesConformance, sampleEvents } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation } from './support/simulation.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

movesConformance({
  name: 'journal',
  async place() {
    const directory = await mkdtemp(join(tmpdir(), 'event-manager-journal-'));
    return {
      // Small segments, so that a copy of a few events crosses seals.
      adapter: () => journal({ directory, segmentBytesMax: 4096, stateLogBytesMax: 4096, reserveBytes: 4096 }),
      dispose: () => rm(directory, { recursive: true, force: true }),
    };
  },
});

async function filledMemory(count: number): Promise<ReturnType<typeof memory>> {
  const source = memory();
  await source.open();
  await source.store.append(sampleEvents(count));
  await source.close();
  return source;
}

it('verifies as undamaged with holes in the middle and at the end', async () => {
  const directory = await temporaryDirectory();
  const adapter = journal({ directory, segmentBytesMax: 4096 });
  const restoration = await adapter.openToRestore({ first: 10, head: 99 });
  const at = (position: number) => ({ ...sampleEvent(position), position, recordedAtMs: 1_700_000_000_000 + position });
  for (let position = 12; position < 90; position += position % 5 === 0 ? 3 : 1)
    await restoration.write([at(position)]);
  await restoration.complete();
  await adapter.close();
  expect(await runJournalCommand('verify', directory)).toMatchObject({ isDamaged: false });
  await adapter.open();
  expect(adapter.health().status).toBe('ok');
  await adapter.close();
});

it('is told by a full disk, loses nothing, and begins anew when there is room', async () => {
  const simulation = new Simulation(5);
  const source = await filledMemory(200);
  simulation.disk.fill(20_000);
  const full = moveStore({ source, target: simulation.journal() });
  await expect(full).rejects.toMatchObject({ code: 'disk_full' });
  await source.open();
  await source.close();
  await expect(simulation.journal().open()).rejects.toMatchObject({ code: 'store_incomplete' });
  simulation.disk.fill(Number.POSITIVE_INFINITY);
  expect(await moveStore({ source, target: simulation.journal() })).toMatchObject({ events: 200 });
});

it('is never taken for whole by what a loss of power leaves of it', async () => {
  const steps = await stepsOfAMove();
  for (let step = 1; step <= steps; step++) {
    const simulation = new Simulation(step);
    const source = await filledMemory(40);
    const died = Promise.withResolvers<void>();
    let left = step;
    simulation.onFailpoint = () => {
      if (--left > 0) return;
      simulation.onFailpoint = () => {};
      simulation.endProcess('crash');
      died.resolve();
    };
    await Promise.race([died.promise, moveStore({ source, target: simulation.journal() }).catch(() => {})]);
    simulation.onFailpoint = () => {};
    // Whole, or not there, or refused: never a part of it.
    const adapter = simulation.journal();
    const isOpen = await adapter.open().then(
      () => true,
      (error: { code: string }) => {
        expect(error.code).toBe('store_incomplete');
        return false;
      },
    );
    if (isOpen) {
      const [bounds] = await adapter.store.bounds();
      expect([0, 40]).toContain(bounds!.events);
      await adapter.close();
    }
  }
});

async function stepsOfAMove(): Promise<number> {
  const simulation = new Simulation(1);
  await moveStore({ source: await filledMemory(40), target: simulation.journal() });
  return simulation.fired.length;
}
