import { ANONYMOUS, Engine, type PublishResult } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { SeededChance, SimulatedDisk, simulatedRuntime, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { Engines, type RunningEngine } from './engines.ts';

const CALLS = 1_000;
const ID = '3e1b2d6c-57a0-4a88-9d3f-0b7c5b8f6f01';
const EVENT = { id: ID, type: 'paid', source: 'test', payload: { amount: 12 } };

/** Repeats a call at whoever is up until it is answered. */
async function publishUntilAnswered(time: VirtualTime, engineNow: () => Engine): Promise<PublishResult> {
  for (;;) {
    const answer = engineNow().publish(ANONYMOUS, EVENT);
    const result = await Promise.race([answer.catch(() => undefined), time.wait(3_000)]);
    if (result) return result;
  }
}

function judge(results: readonly PublishResult[], stored: number): void {
  process.stdout.write(
    `${JSON.stringify({ calls: results.length, stored, ids: new Set(results.map(({ id }) => id)).size })}\n`,
  );
  expect(results.map(({ id }) => id)).toEqual(Array.from({ length: CALLS }, () => ID));
  expect(new Set(results.map(({ cursor }) => cursor)).size).toBe(1);
  // The one answer that was no duplicate may have died with its process.
  expect(results.filter(({ duplicate }) => !duplicate).length).toBeLessThanOrEqual(1);
  expect(stored).toBe(1);
}

/** A payment that is published twice because its acknowledgement got lost must be one event. */
describe('a thousand publications of one id', () => {
  it('are one event over three processes, one of which is killed meanwhile', async () => {
    const engines = new Engines({ seed: 7 });
    const running: RunningEngine[] = [];
    for (const name of ['one', 'two', 'three']) running.push(await engines.launch(name, () => ({})));
    const anyone = () => engines.chance.pick(running.filter(({ isAlive }) => isAlive)).engine;
    engines.time.after(4, () => running[1]!.kill());
    const calls = Array.from({ length: CALLS }, () => publishUntilAnswered(engines.time, anyone));
    const results = await engines.time.run(Promise.all(calls));
    const { records } = await engines.shared.kept.store.read(0, 0, { limit: 10, bytesMax: 1_000_000 });
    judge(results, records.filter(({ id }) => id === ID).length);
  });

  it.each([1, 2, 3, 4, 5])('are one event on a disk that loses power meanwhile (seed %i)', async (seed) => {
    const time = new VirtualTime();
    const chance = new SeededChance(seed);
    const disk = new SimulatedDisk({ chance: chance.fork('disk'), timers: time });
    const open = async () => {
      const timers = time.scope();
      const runtime = simulatedRuntime({ clock: time, timers, chance: chance.fork(`at ${time.monotonicMs()}`) });
      const adapter = journal({ directory: '/data', disk: disk.mount(), runtime });
      return { timers, adapter, engine: await Engine.open({ adapter, runtime }) };
    };
    let present = await time.run(open());
    const calls = Array.from({ length: CALLS }, (_, at) =>
      time.wait(at % 20).then(() => publishUntilAnswered(time, () => present.engine)),
    );
    time.after(1 + chance.integer(20), () => {
      present.timers.end();
      disk.crash();
      void open().then((next) => {
        present = next;
      });
    });
    const results = await time.run(Promise.all(calls));
    const { records } = await time.run(present.adapter.store.read(0, 0, { limit: 10, bytesMax: 1_000_000 }));
    judge(results, records.filter(({ id }) => id === ID).length);
  });
});
