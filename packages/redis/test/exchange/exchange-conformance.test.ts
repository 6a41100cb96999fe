import type { Exchange } from '@event-manager/core';
import { FaultProxy } from '@event-manager/testing';
import { exchangeConformance } from '@event-manager/testing/conformance';
import { afterAll } from 'vitest';
import { ExchangeEnd } from '../support/exchange-end.ts';
import { PostOffice } from '../support/post-office.ts';
import { pause } from '../support/until.ts';
import { withServers } from '../support/with-servers.ts';

/** Nobody listens there. */
const NOWHERE = 'redis://127.0.0.1:1';

await withServers(async (_database, redis) => {
  const proxy = await FaultProxy.start(redis.url);
  afterAll(() => proxy.close());
  let opened = 0;

  for (const third of ['has it', 'does not reach it', 'was not given it'] as const) {
    exchangeConformance({
      name: `by Redis beside another one, where the third process ${third}`,
      async open() {
        const office = new PostOffice();
        const keyPrefix = `test:${process.pid}:${++opened}:`;
        const urls = [proxy.url, proxy.url, third === 'has it' ? proxy.url : NOWHERE];
        const ends = urls.map((url) => new ExchangeEnd({ url, other: office.exchange(), keyPrefix }));
        await Promise.all(ends.map(({ link }) => link.start()));
        const [one, two, three] = ends.map(({ exchange }): Exchange => exchange);
        return {
          exchanges: [one!, two!, third === 'was not given it' ? office.exchange() : three!],
          moment: () => pause(5),
          cut: async () => proxy.reset(),
          async close() {
            for (const { link } of ends) link.close();
          },
        };
      },
    });
  }
});
