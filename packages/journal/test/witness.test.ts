import { expect, it } from 'vitest';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';

const SEEDS = 40;

it('survives a failed sync, a process that relied on what the page cache had of it, and a power cut', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const simulation = new Simulation(seed);
    const first = await simulation.open();
    simulation.disk.failSync(/witness$/);
    await first.store.append([sampleEvent(1)]);
    await simulation.elapse(2_000);
    expect(first.health().status).toBe('failed');
    simulation.endProcess('kill');

    await dieAfterWriting(simulation, 1 + (seed % 2));
    simulation.endProcess('crash');

    const last = await simulation.open();
    expect(last.health(), `seed ${seed}`).toMatchObject({ status: 'ok' });
    expect((await last.store.append([sampleEvent(1)]))[0]!.status, `seed ${seed}`).toBe('duplicate');
    await last.close();
  }
});

/** The next process ends in the middle of opening, when it has written the witness `times` times, or behind it. */
async function dieAfterWriting(simulation: Simulation, times: number): Promise<void> {
  let left = times;
  const died = new Promise<void>((resolve) => {
    simulation.onFailpoint = (name) => {
      if (name !== 'journal.witness.write.after' || --left > 0) return;
      simulation.disk.kill();
      resolve();
    };
  });
  await Promise.race([died, simulation.open()]);
  await settle();
  simulation.onFailpoint = () => {};
}
