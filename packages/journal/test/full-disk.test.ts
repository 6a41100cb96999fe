import { describe, expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation, settle } from './support/simulation.ts';
import { WatchedDisk } from './support/watched-disk.ts';

const RESERVE_BYTES = 256 << 10;

describe('a full disk', () => {
  it('refuses appends, goes on settling, and resumes by itself when there is room, twenty times', async () => {
    const simulation = new Simulation(1);
    const adapter = await simulation.open({ reserveBytes: RESERVE_BYTES, segmentBytesMax: 64 << 10 });
    const acknowledged: string[] = [];
    for (let round = 0; round < 20; round++) {
      simulation.disk.fill(3_000);
      let refusal: unknown;
      for (let n = 0; n < 40 && refusal === undefined; n++) {
        const event = sampleEvent(round * 100 + n);
        await adapter.store.append([event]).then(
          () => acknowledged.push(event.id),
          (error: unknown) => (refusal = error),
        );
      }
      expect(refusal).toMatchObject({ code: 'disk_full', retryable: true });
      expect((refusal as { details: { retryAfterMs: number } }).details.retryAfterMs).toBeGreaterThan(0);
      expect(adapter.health().status).toBe('full');
      // Settlements and dead letters still work: they are what makes room.
      for (let n = 0; n < 20; n++) {
        await adapter.state.commit([{ kind: 'dead-letter', key: `${round}-${n}`, value: 'x'.repeat(500) }]);
      }
      simulation.disk.fill(Number.POSITIVE_INFINITY);
      await simulation.elapse(1_000);
      expect(adapter.health().status).toBe('ok');
    }
    await adapter.close();
    const reopened = await simulation.open({ reserveBytes: RESERVE_BYTES });
    const { records } = await readAll(reopened.store);
    expect(records.map(({ id }) => id)).toEqual(acknowledged);
    expect((await reopened.state.load('dead-letter', { limit: 1000 })).entries).toHaveLength(400);
    await reopened.close();
  });

  it('refuses a commit when the reserve is used up, and has changed nothing', async () => {
    const simulation = new Simulation(2);
    const adapter = await simulation.open();
    await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    simulation.disk.fill(0);
    const commit = adapter.state.commit([{ kind: 'topic', key: 'a', value: 2 }]);
    await expect(commit).rejects.toMatchObject({ code: 'disk_full' });
    expect((await adapter.state.get('topic', ['a']))[0]!.value).toBe(1);
    simulation.disk.fill(Number.POSITIVE_INFINITY);
    await adapter.state.commit([{ kind: 'topic', key: 'a', value: 3 }]);
    await adapter.close();
    const reopened = await simulation.open();
    expect((await reopened.state.get('topic', ['a']))[0]!.value).toBe(3);
    await reopened.close();
  });

  it('is not what a failing reserve is taken for: that stops the store and is not tried again', async () => {
    const simulation = new Simulation(3);
    let reserveSyncs = 0;
    const disk = new WatchedDisk(simulation.disk.mount());
    const adapter = await simulation.open({ disk, reserveBytes: RESERVE_BYTES });
    simulation.disk.fill(0);
    await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    await expect(adapter.store.append([sampleEvent(1, 300_000)])).rejects.toMatchObject({ code: 'disk_full' });
    simulation.disk.fill(Number.POSITIVE_INFINITY);
    simulation.disk.fail({ operation: 'sync', path: /reserve$/, code: 'EIO', times: 100 });
    for (let look = 0; look < 8; look++) {
      const before = disk.synced.length;
      await simulation.elapse(250);
      reserveSyncs += disk.synced.slice(before).filter((path) => path.endsWith('reserve')).length;
    }
    expect(adapter.health().status).toBe('failed');
    expect(reserveSyncs).toBe(1);
    await expect(adapter.store.append([sampleEvent(2)])).rejects.toMatchObject({ code: 'store_failed' });
    await adapter.close();
  });

  it('that has room again while the journal closes leaves no file under work', async () => {
    const simulation = new Simulation(4);
    const disk = new WatchedDisk(simulation.disk.mount());
    const adapter = await simulation.open({ disk, reserveBytes: RESERVE_BYTES });
    simulation.disk.fill(0);
    await adapter.state.commit([{ kind: 'topic', key: 'a', value: 1 }]);
    simulation.disk.fill(Number.POSITIVE_INFINITY);
    const hold = disk.hold('sync', /reserve$/);
    await simulation.elapse(250);
    await hold.begun;
    let isClosed = false;
    const closing = adapter.close().then(() => (isClosed = true));
    await settle();
    expect(isClosed).toBe(false);
    hold.letGo();
    await closing;
    expect(disk.openPaths).toEqual([]);
  });
});
