import { sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { SCAN_EVENTS } from '../../src/lua/scan-events.ts';
import { TRIM_LOG } from '../../src/lua/trim-log.ts';
import { runScript, withAdapter } from '../support/on-server.ts';
import { withRedis } from '../support/with-redis.ts';

const EVENTS = 150;
const KIB = 1_024;
const ASKED = { limit: 1_000, budgetMs: 60_000 };
/** Of every lane, topic and field. */
const ANY = ['*', '', 0] as const;

await withRedis(() => {
  /** If it looked at as many as it is asked to, 512 events of 256 KiB would be in the hands of the server at once. */
  it('looks at fewer of large events, and finds all of them', async () => {
    await using keys = await createTestKeys();
    await withAdapter(keys, async ({ store }) => {
      await store.append(sampleEvents(EVENTS, 0, { correlationId: 'all', payload: 'x'.repeat(100 * KIB) }));
      for (const sets of [ANY, ['*', '', 1, 'flow:all']]) {
        const found = (await runScript(keys, SCAN_EVENTS, 1, EVENTS, 512, 512, '0', ...sets)) as number[];
        expect(found[0]).toBe(found[1]);
        expect(found[1]).toBeLessThan(100);
      }
      const all = Array.from({ length: EVENTS }, (_, at) => sampleId(at));
      for (const query of [{}, { correlationId: 'all' }]) {
        const forward = await store.find(query, { ...ASKED, direction: 'forward' });
        expect(forward.records.map(({ id }) => id)).toEqual(all);
        const backward = await store.find(query, { ...ASKED, direction: 'backward' });
        expect(backward.records.map(({ id }) => id)).toEqual(all.toReversed());
      }
    });
  });

  /** If it answered with one step back, a search would ask once for each event that was removed meanwhile. */
  it('is through at once when what it was to look at is gone', async () => {
    await using keys = await createTestKeys();
    await withAdapter(keys, async ({ store }) => {
      await store.append(sampleEvents(EVENTS));
      await runScript(keys, TRIM_LOG, EVENTS - 1);
      expect(await runScript(keys, SCAN_EVENTS, 1, 100, 64, 10, '1', ...ANY)).toEqual([1, 0, 0]);
      expect(await runScript(keys, SCAN_EVENTS, 1, 100, 64, 10, '0', ...ANY)).toEqual([100, 0, 0]);
    });
  });
});
