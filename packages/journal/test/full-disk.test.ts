import { describe, expect, it } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';
import { Simulation } from './support/simulation.ts';

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
});
