import type { Disk, DiskFile, EventBusAdapter } from '@event-manager/core';
import { expect, it } from 'vitest';
import type { StateJournal } from '../../src/state/state-journal.ts';
import { Simulation, settle } from '../support/simulation.ts';

const LETTERS = 40;
const LARGE = 5_000;

function letter(n: number): { n: number; event: string } {
  return { n, event: String(n % 10).repeat(LARGE) };
}

async function keep(adapter: EventBusAdapter, n: number): Promise<void> {
  await adapter.state.commit([
    { kind: 'dead-letter', key: `letter ${n}`, value: letter(n) },
    { kind: 'owed', key: `letter ${n}` },
  ]);
}

/** Characters of the dead letters that are in memory. */
function charactersInMemory({ state }: EventBusAdapter): number {
  let characters = 0;
  for (const [, , { json }] of (state as StateJournal).opened!.entries.all()) characters += json?.length ?? 0;
  return characters;
}

async function lettersOf({ state }: EventBusAdapter): Promise<unknown[]> {
  const { entries } = await state.load('dead-letter', { limit: 1000 });
  return entries.map(({ value }) => value).sort((a, b) => (a as { n: number }).n - (b as { n: number }).n);
}

const ALL = Array.from({ length: LETTERS }, (_, n) => letter(n));

it('large dead letters are on disk alone, whole after snapshots, crashes and clean ends', async () => {
  const simulation = new Simulation(1);
  let adapter = await simulation.open({ stateLogBytesMax: 20_000 });
  for (let n = 0; n < LETTERS; n++) {
    await keep(adapter, n);
    if (n % 8 === 0) await settle();
  }
  await settle();
  for (const end of ['none', 'crash', 'close', 'kill', 'crash'] as const) {
    if (end === 'close') await adapter.close();
    else if (end !== 'none') simulation.endProcess(end, 'lose-all');
    if (end !== 'none') adapter = await simulation.open({ stateLogBytesMax: 20_000 });
    expect(charactersInMemory(adapter), end).toBe(0);
    expect(await lettersOf(adapter), end).toEqual(ALL);
    const [one] = await adapter.state.get('dead-letter', ['letter 7']);
    expect(one!.value).toEqual(letter(7));
    await adapter.state.commit([{ kind: 'dead-letter', key: 'letter 7', value: letter(7), ifRevision: one!.revision }]);
  }
  await adapter.close();
});

it('a reader gets every value while snapshots take them over and remove the files they were in', async () => {
  const simulation = new Simulation(2);
  const adapter = await simulation.open({ stateLogBytesMax: 10_000 });
  for (let n = 0; n < LETTERS; n++) await keep(adapter, n);
  let isWriting = true;
  const read = async (): Promise<void> => {
    while (isWriting) {
      expect(await lettersOf(adapter)).toEqual(ALL);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const reading = Promise.all([read(), read(), read()]);
  const before = simulation.disk.paths().find((path) => path.endsWith('.snapshot'));
  for (let n = 0; n < 4 * LETTERS; n++) {
    await keep(adapter, n % LETTERS);
    if (n % 20 === 0) await settle();
  }
  isWriting = false;
  await reading;
  expect(simulation.disk.paths()).not.toContain(before);
  await adapter.close();
});

it('a letter that rotted is damage: refused by key, passed over in a page, never handed out wrong', async () => {
  const simulation = new Simulation(3);
  const adapter = await simulation.open();
  for (let n = 0; n < 3; n++) await keep(adapter, n);
  const path = simulation.disk.paths().find((name) => /state-.*\.log$/.test(name))!;
  const bytes = Buffer.from(simulation.disk.contents(path));
  simulation.disk.flipBit(path, (bytes.indexOf('1'.repeat(100)) + 50) * 8);
  await expect(adapter.state.get('dead-letter', ['letter 1'])).rejects.toMatchObject({ code: 'corrupt_record' });
  expect(await lettersOf(adapter)).toEqual([letter(0), letter(2)]);
  expect(adapter.health().status).toBe('read-only');
  await expect(keep(adapter, 4)).rejects.toMatchObject({ code: 'store_read_only' });
  await adapter.close();
});

it('every acknowledged letter is whole when the power fails at any step of a commit or snapshot', async () => {
  const LIFE = 12;
  for (let nth = 1; ; nth++) {
    const simulation = new Simulation(nth);
    const acknowledged = new Set<number>();
    let left = nth;
    simulation.onFailpoint = (name) => {
      if (!/state|snapshot|replace/.test(name) || --left !== 0) return;
      simulation.endProcess('crash');
      throw new TypeError('the power failed');
    };
    const life = async (): Promise<void> => {
      const adapter = await simulation.open({ stateLogBytesMax: 20_000 });
      for (let n = 0; n < LIFE; n++) {
        await keep(adapter, n);
        acknowledged.add(n);
      }
      await adapter.close();
    };
    life().catch(() => {});
    for (let turn = 0; turn < 4; turn++) await settle();
    simulation.onFailpoint = () => {};
    if (left > 0) {
      expect(acknowledged.size).toBe(LIFE);
      expect(nth).toBeGreaterThan(LIFE * 6);
      break;
    }
    const reopened = await simulation.open({ stateLogBytesMax: 20_000 });
    expect(reopened.health().status, `step ${nth}`).toBe('ok');
    const found = (await lettersOf(reopened)) as { n: number }[];
    expect(found, `step ${nth}`).toEqual(found.map(({ n }) => letter(n)));
    for (const n of acknowledged) expect(found.map((one) => one.n)).toContain(n);
    await reopened.close();
    expect(nth).toBeLessThan(1_000);
  }
});

/** A disk that counts what is read of it. */
function countedDisk(disk: Disk): { readonly disk: Disk; reads: number } {
  const counted = { disk, reads: 0 };
  const countReads = (file: DiskFile): DiskFile =>
    new Proxy(file, {
      get(target, name) {
        if (name === 'read') counted.reads++;
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  counted.disk = new Proxy(disk, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (name === 'open') return async (...args: Parameters<Disk['open']>) => countReads(await target.open(...args));
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return counted;
}

it('a thousand values of one commit that are asked for at once are read once', async () => {
  const simulation = new Simulation(4);
  const counted = countedDisk(simulation.disk.mount());
  const adapter = await simulation.open({ disk: counted.disk });
  const keys = Array.from({ length: 1_000 }, (_, n) => `letter ${n}`);
  const changes = keys.map((key, n) => ({ kind: 'dead-letter' as const, key, value: letter(n) }));
  for (let half = 0; half < 2; half++) await adapter.state.commit(changes.filter((_, n) => n % 2 === half));
  counted.reads = 0;
  const values = await adapter.state.get('dead-letter', keys);
  expect(values.map((entry) => entry?.value)).toEqual(keys.map((_, n) => letter(n)));
  expect(counted.reads).toBeLessThan(10);
  await adapter.close();
});
