import { SimulatedDisk } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { decodeUncheckedHeader } from '../src/format/record.ts';
import { viewOf } from '../src/format/view-of.ts';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';

const SUBSCRIPTION = '01923456-789a-7000-8000-000000000001';
const letterKey = (position: number) => `${SUBSCRIPTION}/0/${String(position).padStart(16, '0')}/0`;

/** A log that a lying disk cut behind record 3, while the state remembers that 6 is a dead letter and 5 was settled. */
async function cutLog(): Promise<SimulatedDisk> {
  const simulation = new Simulation(1);
  const adapter = await simulation.open();
  for (let n = 1; n <= 6; n++) await adapter.store.append([sampleEvent(n, 100)]);
  await adapter.state.commit([
    { kind: 'dead-letter', key: letterKey(6), value: { eventId: sampleEvent(6).id } },
    {
      kind: 'progress',
      key: `${SUBSCRIPTION}/0`,
      value: {
        lanes: [
          [5, 900, []],
          [5, 900, []],
          [5, 900, []],
          [5, 900, []],
        ],
      },
    },
  ]);
  await settle();
  simulation.endProcess('kill');
  const disk = new SimulatedDisk();
  for (const path of simulation.disk.paths()) {
    const bytes = simulation.disk.contents(path);
    disk.plant(path, /events-.*\.log$/.test(path) ? bytes.subarray(0, endOf(bytes, 3)) : bytes);
  }
  return disk;
}

function endOf(bytes: Uint8Array, records: number): number {
  const view = viewOf(bytes);
  let at = 64;
  for (let record = 0; record < records; record++) at += decodeUncheckedHeader(view, at).bytes;
  return at;
}

it('gives no position again that the state names: the next dead letter there would replace the first', async () => {
  const disk = await cutLog();
  const adapter = await new Simulation(2, disk).open();
  expect(adapter.health()).toMatchObject({ status: 'ok', lost: [{ from: 4, through: 6, cause: 'damaged' }] });
  const [appended] = await adapter.store.append([sampleEvent(7, 100)]);
  expect(appended).toMatchObject({ status: 'stored', place: { position: 7 }, previous: 6 });
  await adapter.close();

  for (const seed of [3, 4]) {
    const again = await new Simulation(seed, disk).open();
    expect(again.health()).toMatchObject({ status: 'ok', lost: [{ from: 4, through: 6, cause: 'damaged' }] });
    const { records, lost } = await readAll(again.store);
    expect(records.map(({ place }) => place.position)).toEqual([1, 2, 3, 7]);
    expect(lost).toEqual([{ from: 4, through: 6, cause: 'damaged' }]);
    await again.close();
  }
});

it('spares them too when the process dies before anything was appended there', async () => {
  const disk = await cutLog();
  for (const seed of [2, 3]) {
    const simulation = new Simulation(seed, disk);
    await simulation.open();
    await settle();
    simulation.endProcess('kill');
  }
  const adapter = await new Simulation(5, disk).open();
  expect(adapter.health().status).toBe('ok');
  const [appended] = await adapter.store.append([sampleEvent(7, 100)]);
  expect(appended).toMatchObject({ place: { position: 7 } });
  await adapter.close();
});
