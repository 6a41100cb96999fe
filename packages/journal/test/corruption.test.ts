import { SeededChance, SimulatedDisk } from '@event-manager/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { repair } from '../src/cli/repair.ts';
import { verify } from '../src/cli/verify.ts';
import { Folder } from '../src/files/folder.ts';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { DIRECTORY, Simulation, settle } from './support/simulation.ts';

const EVENTS = 120;
const COUNTERS = 30;
const PAGE_BYTES = 4096;

let files: ReadonlyMap<string, Uint8Array>;

/** A directory that was closed cleanly: sealed segments with indexes, an active one, a snapshot and a state log. */
beforeAll(async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open({ stateLogBytesMax: 2_000 });
  for (let n = 1; n <= EVENTS; n++) {
    await adapter.store.append([sampleEvent(n)]);
    await adapter.state.commit([{ kind: 'progress', key: `counter ${n % COUNTERS}`, value: n }]);
    if (n % 10 === 0) await settle();
  }
  await settle();
  await adapter.close();
  files = new Map(simulation.disk.paths().map((path) => [path, simulation.disk.contents(path)]));
});

const TARGETS = [/events-.*\.log$/, /events-.*\.index$/, /\.snapshot$/, /state-.*\.log$/, /witness$/];

interface Corruption {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly text: string;
}

function corrupt(chance: SeededChance, number: number): Corruption {
  const pick = (count: number): number => Math.floor(chance.fraction() * count);
  const paths = [...files.keys()].filter((path) => TARGETS[number % TARGETS.length]!.test(path));
  const path = paths[pick(paths.length)]!;
  const bytes = Uint8Array.from(files.get(path)!);
  const at = pick(bytes.length);
  const name = `${path} of ${bytes.length} bytes`;
  switch (pick(3)) {
    case 0:
      bytes[at]! ^= 1 << pick(8);
      return { path, bytes, text: `bit at ${at} of ${name}` };
    case 1: {
      const page = at - (at % PAGE_BYTES);
      bytes.fill(0, page, page + PAGE_BYTES);
      return { path, bytes, text: `page at ${page} of ${name}` };
    }
    default:
      return { path, bytes: bytes.subarray(0, at), text: `cut at ${at} of ${name}` };
  }
}

function diskWith({ path, bytes }: Corruption): SimulatedDisk {
  const disk = new SimulatedDisk();
  for (const [name, contents] of files) disk.plant(name, contents);
  disk.plant(path, bytes);
  return disk;
}

async function checkServed(simulation: Simulation, { path, text }: Corruption): Promise<void> {
  const adapter = await simulation.open();
  const { records, lost } = await readAll(adapter.store);
  const seen = new Set(records.map(({ place }) => place.position));
  for (const { place, id, body } of records) {
    const original = sampleEvent(place.position);
    expect(id, text).toBe(original.id);
    expect(Buffer.compare(body, original.body), text).toBe(0);
  }
  for (const { from, through } of lost) for (let position = from; position <= through; position++) seen.add(position);
  expect(seen.size, text).toBe(EVENTS);
  const isSegment = /events-.*\.log$/.test(path);
  if (!isSegment) expect(records, text).toHaveLength(EVENTS);
  const found = await adapter.store.find(
    { correlationId: 'flow-5' },
    { limit: 10, direction: 'forward', budgetMs: 1e9 },
  );
  if (!isSegment)
    expect(
      found.records.map(({ place }) => place.position),
      text,
    ).toEqual([20, 21, 22, 23]);
  const counters = await adapter.state.get(
    'progress',
    Array.from({ length: COUNTERS }, (_, n) => `counter ${n}`),
  );
  const isWhole = counters.every((counter, n) => counter?.value === EVENTS - ((EVENTS - n) % COUNTERS));
  const { status } = adapter.health();
  if (isWhole && lost.length === 0) expect(['ok', 'read-only'], text).toContain(status);
  else expect(status, text).toBe('read-only');
  if (status === 'read-only') {
    await expect(adapter.store.append([sampleEvent(1_000)])).rejects.toMatchObject({ code: 'store_read_only' });
  }
  await adapter.close();
}

describe('one damaged file', () => {
  it.each([1, 2, 3, 4])('is found, served around and never deleted, 500 cases, seed %i', async (seed) => {
    const chance = new SeededChance(seed);
    for (let number = 0; number < 500; number++) {
      const corruption = corrupt(chance, number);
      if (Buffer.compare(corruption.bytes, files.get(corruption.path)!) === 0) continue;
      const simulation = new Simulation(number, diskWith(corruption));
      const { damages } = await verify(new Folder(simulation.disk, simulation.runtime, DIRECTORY));
      const named = damages.filter(({ file }) => corruption.path.endsWith(file));
      expect(named.length, corruption.text).toBeGreaterThan(0);
      expect(named.every(({ offset }) => Number.isInteger(offset) && offset >= 0)).toBe(true);
      await checkServed(simulation, corruption);
      const left = simulation.disk.paths();
      if (!corruption.path.endsWith('witness'))
        expect(left, corruption.text).toEqual(expect.arrayContaining([...files.keys()]));
    }
  });

  it('is repaired: copied first, then writable again, the loss on record, 100 cases', async () => {
    const chance = new SeededChance(9);
    for (let number = 0; number < 100; number++) {
      const corruption = corrupt(chance, number);
      if (Buffer.compare(corruption.bytes, files.get(corruption.path)!) === 0) continue;
      const simulation = new Simulation(number, diskWith(corruption));
      const folder = new Folder(simulation.disk, simulation.runtime, DIRECTORY);
      const { damages } = await repair(folder);
      expect(damages.length, corruption.text).toBeGreaterThan(0);
      const copy = simulation.disk.paths().find((path) => path.startsWith(`${DIRECTORY}/quarantine/`))!;
      expect(Buffer.compare(simulation.disk.contents(copy), corruption.bytes), corruption.text).toBe(0);
      expect((await verify(folder)).damages, corruption.text).toEqual([]);
      const adapter = await simulation.open();
      expect(adapter.health().status, corruption.text).toBe('ok');
      const [answer] = await adapter.store.append([sampleEvent(1_000)]);
      expect(answer, corruption.text).toMatchObject({ status: 'stored', place: { position: EVENTS + 1 } });
      await adapter.close();
    }
  });
});
