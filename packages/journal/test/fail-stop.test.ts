import type { EventBusAdapter } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';
import { WatchedDisk } from './support/watched-disk.ts';

async function appendMany(adapter: EventBusAdapter): Promise<void> {
  for (let n = 1; n <= 40; n++) await adapter.store.append([sampleEvent(n)]).catch(() => {});
}

async function commitMany(adapter: EventBusAdapter): Promise<void> {
  for (let n = 1; n <= 40; n++) {
    await adapter.state.commit([{ kind: 'topic', key: 'a', value: 'x'.repeat(100) }]).catch(() => {});
  }
}

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

  it('of one file lets no sync that was under way then acknowledge anything', async () => {
    const failed = { code: 'store_failed' };
    for (const [held, failing] of [
      [/events-.*\.log$/, /state-.*\.log$/],
      [/state-.*\.log$/, /events-.*\.log$/],
    ] as const) {
      const simulation = new Simulation(5);
      const disk = new WatchedDisk(simulation.disk.mount());
      const adapter = await simulation.open({ disk });
      await adapter.store.append([sampleEvent(1)]);
      await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
      const append = (): Promise<unknown> => adapter.store.append([sampleEvent(2)]);
      const commit = (): Promise<unknown> => adapter.state.commit([{ kind: 'topic', key: 'a', value: 2 }]);
      const isLogHeld = held.test('events-1.log');
      const hold = disk.hold('sync', held);
      const waiting = isLogHeld ? append() : commit();
      await hold.begun;
      simulation.disk.failSync(failing);
      await expect(isLogHeld ? commit() : append()).rejects.toMatchObject(failed);
      hold.letGo();
      await expect(waiting).rejects.toMatchObject(failed);
      expect((await adapter.state.get('topic', ['a']))[0]!.value).toBe(1);
      expect((await readAll(adapter.store)).records).toHaveLength(1);
      await adapter.close();
    }
  });

  it('while a known id is being compared lets nobody be told of a duplicate', async () => {
    const simulation = new Simulation(6);
    const disk = new WatchedDisk(simulation.disk.mount());
    const adapter = await simulation.open({ disk });
    await adapter.store.append([sampleEvent(1)]);
    const hold = disk.hold('read', /events-.*\.log$/);
    const again = adapter.store.append([sampleEvent(1)]);
    await hold.begun;
    simulation.disk.failSync(/state-.*\.log$/);
    await expect(adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }])).rejects.toThrow();
    hold.letGo();
    await expect(again).rejects.toMatchObject({ code: 'store_failed' });
    await adapter.close();
  });

  it('lets what is under way remove and replace nothing: neither a snapshot, nor an index, nor a trim', async () => {
    type Case = readonly [
      name: string,
      operation: 'sync' | 'remove',
      path: RegExp,
      begin: (adapter: EventBusAdapter) => void,
    ];
    const cases: readonly Case[] = [
      ['snapshot', 'sync', /\.snapshot\.tmp$/, (adapter) => commitMany(adapter)],
      ['snapshot', 'remove', /state-.*\.log$/, (adapter) => commitMany(adapter)],
      ['index', 'sync', /\.index\.tmp$/, (adapter) => appendMany(adapter)],
      ['trim', 'remove', /\.index$/, (adapter) => adapter.store.trim([{ partition: 0, position: 30 }]).catch(() => {})],
    ];
    for (const [name, operation, path, begin] of cases) {
      const simulation = new Simulation(7);
      const disk = new WatchedDisk(simulation.disk.mount());
      const adapter = await simulation.open({ disk, stateLogBytesMax: 2_000 });
      await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
      if (name === 'trim') await appendMany(adapter);
      await settle();
      const hold = disk.hold(operation, path);
      begin(adapter);
      await hold.begun;
      // The witness is a third file: whatever is held, its sync can fail beside it.
      simulation.disk.failSync(/witness$/);
      await simulation.elapse(2_000);
      expect(adapter.health().status, name).toBe('failed');
      disk.changed.length = 0;
      hold.letGo();
      await settle();
      expect(disk.changed, name).toEqual(operation === 'remove' ? [expect.stringMatching(path)] : []);
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
