import type { EventQuery, FindOptions } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { allStored, sampleEvent, sampleId } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { until } from '../support/until.ts';
import { withRedis } from '../support/with-redis.ts';

const EVENTS = 400;
const FLOWS = 7;
/** In no order, and with ids of which one begins another. */
const CAUSES = ['c5', 'c1', 'c10', 'none'];

await withRedis((server) => {
  it('finds the events of flows and of causes by pages, both ways, also where others stand in between', async () => {
    await using keys = await createTestKeys();
    const adapter = redis({ url: server.url, keyPrefix: keys.keyPrefix });
    await adapter.open();
    const events = Array.from({ length: EVENTS }, (_, n) =>
      sampleEvent(n, {
        ...(n % 3 === 0 ? {} : { correlationId: `flow-${n % FLOWS}`, causationId: `c${n % 12}` }),
        source: n % 2 === 0 ? 'even' : 'odd',
      }),
    );
    const places = allStored(await adapter.store.append(events)).map(({ place }) => place);
    const wanted: readonly [EventQuery, (n: number) => boolean][] = [
      [{ correlationId: 'flow-3' }, (n) => n % 3 !== 0 && n % FLOWS === 3],
      [{ correlationId: 'flow-3', sources: ['odd'] }, (n) => n % 3 !== 0 && n % FLOWS === 3 && n % 2 === 1],
      [{ causationIds: CAUSES }, (n) => n % 3 !== 0 && [5, 1, 10].includes(n % 12)],
      [{ correlationId: 'flow' }, () => false],
    ];
    const findAll = async (query: EventQuery, options: Pick<FindOptions, 'limit' | 'direction'>) => {
      const found: string[] = [];
      for (let after: FindOptions['after']; ; ) {
        const page = await adapter.store.find(query, { ...options, budgetMs: 10_000, ...(after ? { after } : {}) });
        found.push(...page.records.map(({ id }) => id));
        if (page.next === undefined) return options.direction === 'forward' ? found : found.toReversed();
        after = page.next;
      }
    };
    for (const trimmed of [0, 100]) {
      if (trimmed > 0) await adapter.store.trim([places[trimmed - 1]!]);
      for (const [query, isWanted] of wanted) {
        const expected = events.flatMap(({ id }, n) => (n >= trimmed && isWanted(n) ? [id] : []));
        for (const limit of [1, 7, 1_000]) {
          for (const direction of ['forward', 'backward'] as const) {
            expect(await findAll(query, { limit, direction }), JSON.stringify(query)).toEqual(expected);
          }
        }
      }
    }
    await adapter.store.trim([places.at(-1)!]);
    const left = (what: string) => askRedis(server.url, 'KEYS', `${keys.keyPrefix}${what}*`);
    for (const what of ['flow', 'cause', 'ids']) {
      await until(async () => ((await left(what)) as unknown[]).length === 0, 'the index goes with the events');
    }
    await adapter.close();
  });

  it('answers at once what is asked of one flow, however large the log', async () => {
    await using keys = await createTestKeys();
    const adapter = redis({ url: server.url, keyPrefix: keys.keyPrefix });
    await adapter.open();
    const others = Array.from({ length: 5_000 }, (_, n) => sampleEvent(n));
    await adapter.store.append([sampleEvent(9_000, { correlationId: 'asked' }), ...others]);
    // A search that has to look through the log would end by this budget.
    const { records, complete } = await adapter.store.find(
      { correlationId: 'asked' },
      { limit: 10, direction: 'backward', budgetMs: 0 },
    );
    expect([records.map(({ id }) => id), complete]).toEqual([[sampleId(9_000)], true]);
    await adapter.close();
  });
});
