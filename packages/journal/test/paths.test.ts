import { expect, it } from 'vitest';
import { sampleEvent } from './support/sample-event.ts';
import { DIRECTORY, Simulation, settle } from './support/simulation.ts';

it('no answer names a path: what a failing disk says is told by its code alone, and kept as the cause', async () => {
  const simulation = new Simulation(1);
  const adapter = await simulation.open();
  for (let n = 1; n <= 40; n++) await adapter.store.append([sampleEvent(n)]);
  await adapter.state.commit([{ kind: 'dead-letter', key: 'a', value: 'x'.repeat(5_000) }]);
  await settle();
  const calls = [
    ['open', () => adapter.state.get('dead-letter', ['a'])],
    ['read', () => adapter.store.read(0, 0, { limit: 10, bytesMax: 1 << 20 })],
    ['read', () => adapter.store.get([sampleEvent(40).id])],
    ['read', () => adapter.store.find({ topic: 'area/#' }, { limit: 10, direction: 'backward', budgetMs: 1e9 })],
    ['remove', () => adapter.store.trim([{ partition: 0, position: 20 }])],
  ] as const;
  for (const [operation, call] of calls) {
    simulation.disk.clearFaults();
    simulation.disk.fail({ operation, path: /./, code: 'EIO', times: 100 });
    const error = await call().then(
      () => undefined,
      (refusal: unknown) => refusal as Error,
    );
    expect(error, String(call)).toMatchObject({ code: 'store_failed', cause: { code: 'EIO' } });
    expect(`${error!.message} ${JSON.stringify(error)}`).toContain('EIO');
    expect(`${error!.message} ${JSON.stringify(error)}`).not.toContain(DIRECTORY);
  }
  simulation.disk.clearFaults();
  await adapter.close();
});
