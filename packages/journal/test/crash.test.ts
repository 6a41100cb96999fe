import type { EventBusAdapter } from '@event-manager/core';
import { FAILPOINTS } from '@event-manager/journal';
import { SeededChance, SimulatedDisk } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';

/** A disk whose every operation takes a turn of the event loop or a few, so that a crash can fall between any two. */
function slowDisk(seed: number): SimulatedDisk {
  const chance = new SeededChance(seed + 1);
  const waiting = new SeededChance(seed + 2);
  const wait = (turnsLeft: number, run: () => void): void => {
    setImmediate(() => (turnsLeft > 0 ? wait(turnsLeft - 1, run) : run()));
  };
  const timers = {
    after: (_delayMs: number, run: () => void) => {
      wait(Math.floor(waiting.fraction() * 3), run);
      return () => {};
    },
    soon: (run: () => void) => wait(0, run),
  };
  return new SimulatedDisk({ chance, timers, shortWriteShare: 0.05 });
}

/** What clients were told, and what they tried. */
class History {
  readonly attempted = new Map<string, Uint8Array>();
  readonly acknowledged = new Map<string, number>();
  committed = 0;
  next = 0;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Publishes and commits until the process dies after some turns of the event loop. */
async function live(simulation: Simulation, history: History, turnCount: number, how: 'crash' | 'kill'): Promise<void> {
  const adapter = await simulation.open();
  let isDead = false;
  const publish = async (): Promise<void> => {
    while (!isDead) {
      const event = sampleEvent(history.next++, 40 + (history.next % 300));
      history.attempted.set(event.id, event.body);
      const [answer] = await adapter.store.append([event]);
      if (!isDead) history.acknowledged.set(event.id, answer!.place.position);
    }
  };
  const commit = async (): Promise<void> => {
    while (!isDead) {
      const value = history.committed + 1;
      await adapter.state.commit([{ kind: 'progress', key: 'count', value }]);
      if (!isDead) history.committed = value;
    }
  };
  for (let client = 0; client < 8; client++) publish().catch(() => {});
  commit().catch(() => {});
  await turns(turnCount);
  isDead = true;
  simulation.endProcess(how);
  await settle();
}

/** Two lives that pass every step: seals, snapshots, a full disk, a trim of nothing, a torn tail, a clean stop. */
async function busyLife(simulation: Simulation, history: History): Promise<void> {
  const options = { stateLogBytesMax: 1_000 };
  for (let life = 0; life < 2; life++) {
    let adapter: EventBusAdapter | undefined;
    const opening = simulation.open(options);
    opening.then((opened) => (adapter = opened)).catch(() => {});
    await settle();
    if (adapter === undefined) continue;
    for (let n = 0; n < 40; n++) {
      const event = sampleEvent(history.next++);
      history.attempted.set(event.id, event.body);
      adapter.store.append([event]).then(
        ([answer]) => history.acknowledged.set(event.id, answer!.place.position),
        () => {},
      );
      const value = history.committed + 1;
      adapter.state.commit([{ kind: 'progress', key: 'count', value }]).then(
        () => (history.committed = value),
        () => {},
      );
      if (n === 20) simulation.disk.fill(0);
      await turns(3);
      if (n === 20) simulation.disk.fill(Number.POSITIVE_INFINITY);
      if (n === 20) await simulation.elapse(1_000);
    }
    adapter.store.trim([{ partition: 0, position: 0 }]).catch(() => {});
    await settle();
    if (life === 0) simulation.endProcess('crash');
    else adapter.close().catch(() => {});
    await settle();
  }
}

async function check(simulation: Simulation, history: History): Promise<void> {
  const adapter = await simulation.open();
  expect(adapter.health()).toMatchObject({ status: 'ok' });
  const { records, lost } = await readAll(adapter.store);
  expect(lost).toEqual([]);
  const found = new Map(records.map((record) => [record.id, record]));
  expect(found.size).toBe(records.length);
  for (const [id, position] of history.acknowledged) expect(found.get(id)?.place.position).toBe(position);
  for (const { id, body } of records) expect(Buffer.compare(body, history.attempted.get(id)!)).toBe(0);
  const [count] = await adapter.state.get('progress', ['count']);
  const value = (count?.value as number | undefined) ?? 0;
  expect(value).toBeGreaterThanOrEqual(history.committed);
  expect(value).toBeLessThanOrEqual(history.committed + 1);
  history.committed = value;
  const again = records.at(-1);
  if (again !== undefined) {
    const [answer] = await adapter.store.append([{ ...sampleEvent(0), id: again.id, body: again.body }]);
    expect(answer).toEqual({ status: 'duplicate', place: again.place });
  }
  await adapter.close();
}

describe('a process that ends without warning', () => {
  it.each(['crash', 'kill'] as const)('loses nothing acknowledged and invents nothing: %s', async (how) => {
    for (let seed = 1; seed <= 25; seed++) {
      const simulation = new Simulation(seed, slowDisk(seed));
      const history = new History();
      for (let life = 0; life < 4; life++) {
        await live(simulation, history, 3 + ((seed * 17 + life * 29) % 120), how);
        await check(simulation, history);
      }
    }
  });

  it('recovers when it dies again while recovering', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const simulation = new Simulation(seed, slowDisk(seed));
      const history = new History();
      await live(simulation, history, 40, 'crash');
      for (let attempt = 0; attempt < 6; attempt++) {
        const opening = simulation.journal().open();
        opening.catch(() => {});
        await turns(attempt * 2 + (seed % 5));
        simulation.endProcess('crash');
        await settle();
      }
      await check(simulation, history);
    }
  });

  it.each(FAILPOINTS)('loses nothing when the power fails at %s', async (name) => {
    for (const firing of [1, 2, 5]) {
      const simulation = new Simulation(firing);
      const history = new History();
      let left = firing;
      simulation.onFailpoint = (fired) => {
        if (fired !== name || --left > 0) return;
        simulation.onFailpoint = () => {};
        simulation.endProcess('crash');
        throw new TypeError('the power failed');
      };
      await busyLife(simulation, history);
      simulation.onFailpoint = () => {};
      simulation.endProcess('crash');
      await settle();
      await check(simulation, history);
    }
  });

  it('puts a torn tail aside before it is cut', async () => {
    const simulation = new Simulation(1);
    const adapter = await simulation.open();
    await adapter.store.append([sampleEvent(1)]);
    simulation.endProcess('kill');
    const path = simulation.disk.paths().find((name) => name.endsWith('.log') && name.includes('events-'))!;
    const whole = simulation.disk.contents(path);
    simulation.disk.plant(path, Buffer.concat([whole, Buffer.from('half a record')]));
    const reopened = await simulation.open();
    expect(reopened.health().status).toBe('ok');
    expect((await readAll(reopened.store)).records).toHaveLength(1);
    const torn = simulation.disk.paths().filter((name) => name.startsWith('/data/torn/'));
    expect(torn).toHaveLength(1);
    expect(Buffer.from(simulation.disk.contents(torn[0]!)).toString()).toBe('half a record');
    await reopened.close();
  });
});
