import { postgres } from '@event-manager/postgres';
import type { Client } from 'pg';
import { expect, it } from 'vitest';
import { connect, Databases } from '../support/databases.ts';
import { withServer } from '../support/with-server.ts';

const TTL_MS = 6_000;
const HOUR_MS = 3_600_000;

await withServer((server) => {
  const databases = new Databases(server, 'turned');

  /** Two processes on one database, and the server's clock in the hand of the test. */
  async function onTwo(
    test: (processes: {
      one: ReturnType<typeof postgres>['state'];
      two: ReturnType<typeof postgres>['state'];
      turnClock: (ms: number) => Promise<void>;
      client: Client;
    }) => Promise<void>,
  ): Promise<void> {
    await using database = await databases.create();
    const client = await connect(database.url);
    const [one, two] = [postgres({ url: database.url }), postgres({ url: database.url })];
    await one.open();
    await two.open();
    const turnClock = async (ms: number) => {
      await client.query('UPDATE test_time SET elapsed_ms = elapsed_ms + $1', [ms]);
    };
    await test({ one: one.state, two: two.state, turnClock, client });
    for (const adapter of [one, two]) await adapter.close();
    await client.end();
  }

  const byTwo = { owner: 'two', ttlMs: TTL_MS };

  /** If this failed, a subscription whose process died would stand still for as long as the server's clock was set back. */
  it.each(['acquire', 'holders'] as const)(
    'of a dead process end their time after somebody looked by %s, when the clock is set back',
    (look) =>
      onTwo(async ({ one, two, turnClock }) => {
        const [dead] = await one.acquire(['r'], { owner: 'one', ttlMs: TTL_MS });
        await turnClock(-HOUR_MS);
        if (look === 'acquire') expect(await two.acquire(['r'], byTwo)).toEqual([]);
        else expect(await two.holders(['r'])).toEqual(['one']);
        await turnClock(TTL_MS - 1);
        expect(await two.acquire(['r'], byTwo)).toEqual([]);
        expect(await two.holders(['r'])).toEqual(['one']);
        await turnClock(1);
        expect(await two.holders(['r'])).toEqual([undefined]);
        expect(await two.acquire(['r'], byTwo)).toHaveLength(1);
        // It was not dead but slept: by its own clock it has long let go, and what it says under its token is refused.
        const late = one.commit([{ kind: 'progress', key: 'p', value: 1, lease: dead! }]);
        await expect(late).rejects.toMatchObject({ code: 'lease_lost', details: { resources: ['r'] } });
        expect(await one.renew([dead!], { ttlMs: TTL_MS })).toEqual([dead]);
      }),
  );

  /** If this failed, a clock that is set back would give what a living process serves to a second one beside it. */
  it('of a living process stay its own when the clock is set back, for all of their time and by each renewal', () =>
    onTwo(async ({ one, two, turnClock }) => {
      const [lease] = await one.acquire(['r'], { owner: 'one', ttlMs: TTL_MS });
      for (let round = 0; round < 3; round++) {
        await turnClock(-HOUR_MS);
        // Those who wait with a shorter time in mind do not shorten it.
        expect(await two.acquire(['r'], { owner: 'two', ttlMs: 1 })).toEqual([]);
        await turnClock(TTL_MS - 1);
        expect(await two.acquire(['r'], byTwo)).toEqual([]);
        await one.commit([{ kind: 'progress', key: 'p', value: round, lease: lease! }]);
        expect(await one.renew([lease!], { ttlMs: TTL_MS })).toEqual([]);
      }
      await one.release([lease!]);
      expect(await two.acquire(['r'], byTwo)).toHaveLength(1);
    }));

  it('that an earlier version gave, without a duration, are bounded from their next renewal on', () =>
    onTwo(async ({ one, two, turnClock, client }) => {
      const [lease] = await one.acquire(['r'], { owner: 'one', ttlMs: TTL_MS });
      await client.query('UPDATE leases SET duration = NULL');
      await turnClock(-HOUR_MS);
      expect(await two.acquire(['r'], byTwo)).toEqual([]);
      await turnClock(TTL_MS);
      expect(await two.acquire(['r'], byTwo)).toEqual([]);
      expect(await one.renew([lease!], { ttlMs: TTL_MS })).toEqual([]);
      await turnClock(TTL_MS);
      expect(await two.acquire(['r'], byTwo)).toHaveLength(1);
    }));
});
