import { describe, expect, it } from 'vitest';
import { repair } from '../../src/cli/repair.ts';
import { verify } from '../../src/cli/verify.ts';
import { Folder } from '../../src/files/folder.ts';
import { readAll } from '../support/read-all.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { DIRECTORY, Simulation, settle } from '../support/simulation.ts';

const SEGMENT = /events-.*\.log$/;

function segmentsOf(simulation: Simulation): string[] {
  return simulation.disk.paths().filter((path) => SEGMENT.test(path) && !path.includes('quarantine'));
}

function folderOf(simulation: Simulation): Folder {
  return new Folder(simulation.disk.mount(), simulation.runtime, DIRECTORY);
}

/** Changes a byte of the payload of an event wherever it stands in the file. */
function spoil(simulation: Simulation, path: string, n: number): void {
  const bytes = Buffer.from(simulation.disk.contents(path));
  bytes[bytes.indexOf(`"n":${n},`) + 1]! ^= 1;
  simulation.disk.plant(path, bytes);
}

/** Lets the power fail when a failpoint is passed for the `nth` time; resolves with whether it was. */
async function powerFailsAt(simulation: Simulation, nth: number, names: RegExp, work: () => Promise<unknown>) {
  let left = nth;
  simulation.onFailpoint = (name) => {
    if (!names.test(name) || --left !== 0) return;
    simulation.endProcess('crash');
    throw new TypeError('the power failed');
  };
  work().catch(() => {});
  await settle();
  simulation.onFailpoint = () => {};
  return left <= 0;
}

describe('an original beside its rewriting', () => {
  /** Five events, and the process died when the rewritten segment stood beside the one it replaces. */
  async function interruptedRecovery(): Promise<{ simulation: Simulation; original: string; rewriting: string }> {
    const simulation = new Simulation(1);
    const adapter = await simulation.open();
    for (let n = 1; n <= 5; n++) await adapter.store.append([sampleEvent(n)]);
    simulation.endProcess('kill');
    const [original] = segmentsOf(simulation);
    expect(await powerFailsAt(simulation, 1, /recover\.remove\.before/, () => simulation.open())).toBe(true);
    const rewriting = segmentsOf(simulation).find((path) => path !== original)!;
    return { simulation, original: original!, rewriting };
  }

  it('goes when the rewriting verifies', async () => {
    const { simulation, original } = await interruptedRecovery();
    const adapter = await simulation.open();
    expect(segmentsOf(simulation)).not.toContain(original);
    expect((await readAll(adapter.store)).records).toHaveLength(5);
    expect(adapter.health().status).toBe('ok');
    await adapter.close();
  });

  it('stays and is served when the rewriting is damaged; a repair keeps a copy of that and loses nothing', async () => {
    const { simulation, original, rewriting } = await interruptedRecovery();
    spoil(simulation, rewriting, 3);
    const adapter = await simulation.open();
    expect(adapter.health().status).toBe('read-only');
    const { records, lost } = await readAll(adapter.store);
    expect({ count: records.length, lost }).toEqual({ count: 5, lost: [] });
    await adapter.close();
    expect(segmentsOf(simulation).sort()).toEqual([original, rewriting].sort());
    expect(await repair(folderOf(simulation))).toMatchObject({ lost: [] });
    expect(simulation.disk.paths()).toContain(rewriting.replace(DIRECTORY, `${DIRECTORY}/quarantine`));
    const repaired = await simulation.open();
    expect(repaired.health().status).toBe('ok');
    expect((await readAll(repaired.store)).records).toHaveLength(5);
    await repaired.close();
  });

  it('stays while anything else is damaged', async () => {
    const simulation = new Simulation(2);
    const adapter = await simulation.open();
    for (let n = 1; n <= 30; n++) await adapter.store.append([sampleEvent(n)]);
    await settle();
    simulation.endProcess('kill');
    expect(await powerFailsAt(simulation, 1, /recover\.remove\.before/, () => simulation.open())).toBe(true);
    const before = segmentsOf(simulation);
    simulation.disk.plant(before[0]!.replace(/log$/, 'index'), Buffer.from('nothing'));
    spoil(simulation, before[0]!, 2);
    const reopened = await simulation.open();
    expect(reopened.health().status).toBe('read-only');
    expect(segmentsOf(simulation)).toEqual(before);
    await reopened.close();
  });
});

describe('two segments that begin at the same position and know nothing of each other', () => {
  it('are damage; one is served, both are kept', async () => {
    const simulation = new Simulation(3);
    const adapter = await simulation.open();
    for (let n = 1; n <= 5; n++) await adapter.store.append([sampleEvent(n)]);
    await adapter.close();
    const other = new Simulation(4);
    const stranger = await other.open();
    await stranger.store.append([sampleEvent(100)]);
    await stranger.close();
    const [path] = segmentsOf(other);
    simulation.disk.plant(path!, other.disk.contents(path!));
    const { damages } = await verify(folderOf(simulation));
    expect(damages.map(({ reason }) => reason)).toContain('another segment begins at the same position');
    const reopened = await simulation.open();
    expect(reopened.health().status).toBe('read-only');
    expect(segmentsOf(simulation)).toHaveLength(2);
    await reopened.close();
  });
});

describe('a repair that the power interrupted', () => {
  it('is finished by the next one, wherever that was', async () => {
    for (let nth = 1; ; nth++) {
      const simulation = new Simulation(nth);
      const adapter = await simulation.open();
      for (let n = 1; n <= 30; n++) await adapter.store.append([sampleEvent(n)]);
      await settle();
      await adapter.close();
      const before = segmentsOf(simulation);
      spoil(simulation, before[0]!, 2);
      spoil(simulation, before.at(-1)!, 29);
      const wasCut = await powerFailsAt(simulation, nth, /./, () => repair(folderOf(simulation)));
      if (!wasCut) break;
      await repair(folderOf(simulation));
      expect((await verify(folderOf(simulation))).damages, `cut at step ${nth}`).toEqual([]);
      for (let opening = 0; opening < 2; opening++) {
        const repaired = await simulation.open();
        expect(repaired.health(), `cut at step ${nth}`).toMatchObject({ status: 'ok' });
        const { records } = await readAll(repaired.store);
        expect(records.map(({ place }) => place.position)).toEqual(
          Array.from({ length: 30 }, (_, index) => index + 1).filter((position) => position !== 2 && position !== 29),
        );
        await repaired.close();
      }
      expect(segmentsOf(simulation)).toHaveLength(before.length);
      expect(nth).toBeLessThan(200);
    }
  });
});
