import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { LOAD_STATE } from '../../src/lua/state-records.ts';
import { runScript, withAdapter } from '../support/on-server.ts';
import { withRedis } from '../support/with-redis.ts';

const RECORDS = 150;
const KIB = 1_024;
const SOME_BYTES = 4_096;

await withRedis(() => {
  /** If a page were one answer whatever it holds, a thousand dead letters might be a quarter of a gigabyte in the hands of the server. */
  it('takes a page of large records in several answers', async () => {
    await using keys = await createTestKeys();
    await withAdapter(keys, async ({ state }) => {
      const names = Array.from({ length: RECORDS }, (_, at) => `a/${String(at).padStart(3, '0')}`);
      const value = 'x'.repeat(100 * KIB);
      await state.commit([...names, 'b'].map((key) => ({ kind: 'dead-letter', key, value })));
      const answer = (await runScript(keys, LOAD_STATE, 'dead-letter', '[a', '[c', 1_000)) as readonly unknown[];
      expect(answer[0]).toBe(RECORDS + 1);
      expect(answer.length).toBeLessThan(RECORDS);

      const all = await state.load('dead-letter', { prefix: 'a/', limit: 1_000 });
      expect(all.entries.map(({ key }) => key)).toEqual(names);
      expect(all.entries.every((entry) => String(entry.value).length > SOME_BYTES)).toBe(true);
      expect(all.next).toBeUndefined();
      const page = await state.load('dead-letter', { prefix: 'a/', after: names[9]!, limit: 120 });
      expect(page.entries.map(({ key }) => key)).toEqual(names.slice(10, 130));
      expect(page.next).toBe(names[129]);
    });
  });
});
