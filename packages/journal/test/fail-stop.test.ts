import { describe, expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation } from './support/simulation.ts';

describe('a failing sync', () => {
  it('stops the store: nothing is acknowledged any more, the file is never synced again, a restart recovers', async () => {
    const simulation = new Simulation(1);
    const adapter = await simulation.open();
    await adapter.store.append([sampleEvent(1)]);
    simulation.disk.failSync(/events-.*\.log$/);
    const failed = { code: 'store_failed' };
    const waiting = [2, 3, 4].map((n) => adapter.store.append([sampleEvent(n)]));
    for (const append of waiting) await expect(append).rejects.toMatchObject(failed);
    // The disk would say "fine" now, about pages that it has dropped.
    await expect(adapter.store.append([sampleEvent(5)])).rejects.toMatchObject(failed);
    await expect(adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toMatchObject(failed);
    expect(adapter.health().status).toBe('failed');
    expect((await readAll(adapter.store)).records).toHaveLength(1);
    await adapter.close();
    simulation.endProcess('crash', 'lose-all');
    const reopened = await simulation.open();
    expect(reopened.health().status).toBe('ok');
    expect((await readAll(reopened.store)).records.map(({ id }) => id)).toEqual([sampleEvent(1).id]);
    expect((await reopened.store.append([sampleEvent(2)]))[0]!.status).toBe('stored');
    await reopened.close();
  });

  it('of the state stops the log as well', async () => {
    const simulation = new Simulation(2);
    const adapter = await simulation.open();
    simulation.disk.failSync(/state-.*\.log$/);
    const failed = { code: 'store_failed' };
    await expect(adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toMatchObject(failed);
    await expect(adapter.store.append([sampleEvent(1)])).rejects.toMatchObject(failed);
    await adapter.close();
  });

  it('of the witness or the directory stops everything', async () => {
    for (const fault of [
      { operation: 'sync', path: /witness$/, code: 'EIO' },
      { operation: 'syncDir', path: /.*/, code: 'EIO' },
    ] as const) {
      const simulation = new Simulation(3);
      const adapter = await simulation.open();
      simulation.disk.fail(fault);
      await adapter.store.append([sampleEvent(1)]).catch(() => {});
      await simulation.elapse(2_000);
      expect(adapter.health().status).toBe('failed');
      await adapter.close();
    }
  });

  it('is what a write that fails without explanation is treated like', async () => {
    const simulation = new Simulation(4);
    const adapter = await simulation.open();
    simulation.disk.fail({ operation: 'write', path: /events-.*\.log$/, code: 'EIO' });
    await expect(adapter.store.append([sampleEvent(1)])).rejects.toMatchObject({ code: 'store_failed' });
    expect(adapter.health().status).toBe('failed');
    await adapter.close();
  });
});
