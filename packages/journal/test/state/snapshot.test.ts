import { expect, it } from 'vitest';
import { Simulation, settle } from '../support/simulation.ts';

it('a snapshot written beside commits covers its logs, which are removed, and restores every value', async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open({ stateLogBytesMax: 2_000 });
  const expected = new Map<string, number>();
  for (let n = 0; n < 400; n++) {
    const key = `key ${n % 37}`;
    if (n % 11 === 0) {
      await adapter.state.commit([{ kind: 'owed', key }]);
      expected.delete(key);
    } else {
      await adapter.state.commit([{ kind: 'owed', key, value: n }]);
      expected.set(key, n);
    }
    if (n % 50 === 0) await settle();
  }
  await settle();
  const logs = simulation.disk.paths().filter((path) => /state-.*\.log$/.test(path));
  expect(logs.length).toBeLessThanOrEqual(2);
  expect(simulation.disk.paths().filter((path) => path.endsWith('.snapshot'))).toHaveLength(1);
  simulation.endProcess('crash', 'lose-all');
  const reopened = await simulation.open();
  const { entries } = await reopened.state.load('owed', { limit: 1000 });
  expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(expected);
  const [before] = await reopened.state.acquire(['r'], { owner: 'a', ttlMs: 1e9 });
  await reopened.close();
  const third = await simulation.open();
  const [after] = await third.state.acquire(['r'], { owner: 'a', ttlMs: 1e9 });
  expect(after!.token).toBeGreaterThan(before!.token);
  await third.close();
});
