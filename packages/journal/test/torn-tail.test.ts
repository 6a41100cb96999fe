import { SeededChance, SimulatedDisk } from '@event-manager/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeUncheckedHeader } from '../src/format/record.ts';
import { viewOf } from '../src/format/view-of.ts';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';

const TAIL_BYTES = 4096;
const WITNESSED = 10;
const WRITTEN = 24;

/** Files of a process that was killed: some records witnessed, the others durable one by one. */
interface Remains {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly newest: string;
  /** End of each record in the newest segment, by position. */
  readonly ends: readonly { readonly position: number; readonly end: number }[];
  readonly stale: Uint8Array;
}

let remains: Remains;

beforeAll(async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open({ segmentBytesMax: 1 << 20 });
  for (let n = 1; n <= WRITTEN; n++) {
    await adapter.store.append([sampleEvent(n, 20 + n)]);
    if (n === WITNESSED) await simulation.elapse(1_000);
  }
  await settle();
  simulation.endProcess('kill');
  const files = new Map(simulation.disk.paths().map((path) => [path, simulation.disk.contents(path)]));
  const newest = [...files.keys()].find((path) => /events-.*\.log$/.test(path))!;
  const other = new Simulation(2);
  const older = await other.open({ segmentBytesMax: 1 << 20 });
  for (let n = 1; n <= WRITTEN; n++) await older.store.append([sampleEvent(n, 20 + n)]);
  const stale = other.disk.contents(other.disk.paths().find((path) => /events-.*\.log$/.test(path))!);
  remains = { files, newest, ends: recordEnds(files.get(newest)!), stale };
});

function recordEnds(bytes: Uint8Array): { position: number; end: number }[] {
  const ends: { position: number; end: number }[] = [];
  const view = viewOf(bytes);
  for (let at = 64; at < bytes.length; ) {
    const header = decodeUncheckedHeader(view, at);
    at += header.bytes;
    ends.push({ position: header.position, end: at });
  }
  return ends;
}

const FILLS: Record<string, (length: number, at: number) => Uint8Array> = {
  nothing: () => new Uint8Array(0),
  zeros: (length) => new Uint8Array(length),
  noise: (length, at) => {
    const noise = new Uint8Array(length);
    new SeededChance(at).fill(noise);
    return noise;
  },
  'stale bytes of another segment': (length, at) => remains.stale.subarray(at, at + length),
};

async function cutAt(cut: number, fill: (length: number, at: number) => Uint8Array): Promise<void> {
  const whole = remains.files.get(remains.newest)!;
  const disk = new SimulatedDisk();
  for (const [path, bytes] of remains.files) disk.plant(path, bytes);
  disk.plant(remains.newest, Buffer.concat([whole.subarray(0, cut), fill(whole.length - cut, cut)]));
  const adapter = await new Simulation(cut, disk).open();
  const { records, lost } = await readAll(adapter.store);
  const present = new Set(records.map(({ place }) => place.position));
  for (const { position, end } of remains.ends) {
    if (end <= cut) expect(present, `record ${position} before the cut at ${cut}`).toContain(position);
    else if (position <= WITNESSED && !present.has(position)) {
      expect(lost.some(({ from, through }) => from <= position && position <= through)).toBe(true);
    }
  }
  for (const { place, id, body } of records) {
    const original = sampleEvent(place.position, 20 + place.position);
    expect(id).toBe(original.id);
    expect(Buffer.compare(body, original.body)).toBe(0);
  }
  const isWitnessedMissing = !present.has(WITNESSED);
  expect(adapter.health().status).toBe(isWitnessedMissing ? 'read-only' : 'ok');
  await adapter.close();
}

describe('the newest segment cut at every byte of its last 4 KiB', () => {
  it.each(Object.keys(FILLS))(
    'and followed by %s opens, keeps what is whole, reports what was witnessed, invents nothing',
    async (fill) => {
      const { length } = remains.files.get(remains.newest)!;
      expect(length).toBeGreaterThan(TAIL_BYTES + 64);
      for (let cut = length - TAIL_BYTES; cut < length; cut++) await cutAt(cut, FILLS[fill]!);
    },
  );
});
