import type { PlantedBug } from '@event-manager/core';
import { SeededChance, SimulatedDisk } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';

/*
 * Each check holds on the journal as it is and fails with one known mistake switched on. A check that passes in both cases
 * would be worth nothing.
 */

type Check = (planted: readonly PlantedBug[]) => Promise<void>;

function simulationWith(planted: readonly PlantedBug[], disk?: SimulatedDisk): Simulation {
  const simulation = new Simulation(1, disk);
  for (const bug of planted) simulation.planted.add(bug);
  return simulation;
}

const segmentPath = (disk: SimulatedDisk): string => disk.paths().find((path) => /events-.*\.log$/.test(path))!;

/** What was acknowledged at the moment of a power failure is there afterwards. */
async function acknowledgedSurvives(planted: readonly PlantedBug[], during: 'sync' | 'first batch'): Promise<void> {
  let isArmed = false;
  let reached: () => void = () => {};
  const crashPoint = new Promise<void>((resolve) => (reached = resolve));
  const disk = new SimulatedDisk({
    onOperation: (operation, path) => {
      if (isArmed && during === 'sync' && operation === 'sync' && /events-.*\.log$/.test(path)) reached();
    },
  });
  const simulation = simulationWith(planted, disk);
  const adapter = await simulation.open({ segmentBytesMax: 1 << 20 });
  const acknowledged: string[] = [];
  if (during === 'sync') {
    await adapter.store.append([sampleEvent(0)]);
    acknowledged.push(sampleEvent(0).id);
  }
  isArmed = true;
  disk.failSync(during === 'sync' ? /events-.*\.log$/ : /never/);
  const append = adapter.store.append([sampleEvent(1)]).then(
    () => acknowledged.push(sampleEvent(1).id),
    () => {},
  );
  await (during === 'sync' ? crashPoint : append);
  await settle();
  simulation.endProcess('crash', 'lose-all');
  const reopened = await new Simulation(2, disk).open();
  const ids = (await readAll(reopened.store)).records.map(({ id }) => id);
  for (const id of acknowledged) expect(ids).toContain(id);
  await reopened.close();
}

/** After a failed sync nothing is acknowledged, although the next sync of the file would say that all is well. */
async function failedSyncIsFinal(planted: readonly PlantedBug[]): Promise<void> {
  const simulation = simulationWith(planted);
  const adapter = await simulation.open();
  await adapter.store.append([sampleEvent(1)]);
  simulation.disk.failSync(/events-.*\.log$/);
  await expect(adapter.store.append([sampleEvent(2)])).rejects.toMatchObject({ code: 'store_failed' });
  await adapter.close();
}

/** A disk that takes only part of every write still holds whole records in the end. */
async function shortWritesAreCompleted(planted: readonly PlantedBug[]): Promise<void> {
  const disk = new SimulatedDisk({ chance: new SeededChance(3), shortWriteShare: 0.7 });
  const simulation = simulationWith(planted, disk);
  const adapter = await simulation.open();
  for (let n = 1; n <= 20; n++) await adapter.store.append([sampleEvent(n)]);
  const { records } = await readAll(adapter.store);
  expect(records).toHaveLength(20);
  await adapter.close();
}

/** A changed bit in a body never reaches a reader. */
async function changedBodiesAreNotServed(planted: readonly PlantedBug[]): Promise<void> {
  const simulation = simulationWith(planted);
  const adapter = await simulation.open();
  await adapter.store.append([sampleEvent(1)]);
  const path = segmentPath(simulation.disk);
  const at = Buffer.from(simulation.disk.contents(path)).indexOf('xxxx');
  simulation.disk.flipBit(path, at * 8);
  const { records } = await readAll(adapter.store);
  for (const { body } of records) expect(Buffer.compare(body, sampleEvent(1).body)).toBe(0);
  expect(adapter.health().status).toBe('read-only');
  await adapter.close();
}

/** A segment whose header cannot be read stays where it is. */
async function unreadableSegmentsStay(planted: readonly PlantedBug[]): Promise<void> {
  const simulation = simulationWith(planted);
  const adapter = await simulation.open();
  await adapter.store.append([sampleEvent(1)]);
  await adapter.close();
  const path = segmentPath(simulation.disk);
  simulation.disk.flipBit(path, 100);
  const reopened = await simulation.open();
  expect(simulation.disk.paths()).toContain(path);
  await reopened.close();
}

const CHECKS: Partial<Record<PlantedBug, Check>> = {
  'acknowledge-before-sync': (planted) => acknowledgedSurvives(planted, 'sync'),
  'skip-directory-sync': (planted) => acknowledgedSurvives(planted, 'first batch'),
  'sync-again-after-failure': failedSyncIsFinal,
  'ignore-short-write': shortWritesAreCompleted,
  'no-checksum-on-read': changedBodiesAreNotServed,
  'delete-unreadable-segment': unreadableSegmentsStay,
};

describe.each(Object.entries(CHECKS))('the planted bug %s', (bug, check) => {
  it('is not there', async () => {
    await check!([]);
  });

  it('is caught when it is switched on', async () => {
    await expect(check!([bug as PlantedBug])).rejects.toThrow();
  });
});
