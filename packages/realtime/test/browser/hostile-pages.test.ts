import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { servePages } from './serve-pages.ts';

const RUNS = 200;

/** Whatever pages send, the program goes on, and so do the others. */
it('survives whatever pages send', { timeout: 120_000 }, async () => {
  const failures: unknown[] = [];
  const { bus, sockets, url } = await servePages({ onFailure: (error) => failures.push(error) });
  const witness = await PageClient.open(url);
  const known = fc.record(
    {
      type: fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'event', ''),
      eventTypes: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
      from: fc.oneof(fc.string(), fc.jsonValue()),
      ref: fc.oneof(fc.string(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const frame = fc.oneof(
    known.map((value) => JSON.stringify(value)),
    fc.string(),
    fc.uint8Array(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  );
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
      const hostile = new WebSocket(url);
      hostile.on('error', () => {});
      await new Promise((resolve) => hostile.once('open', resolve));
      for (const each of frames) hostile.send(each);
      await bus.publish('a', 'a');
      seen++;
      await witness.until(() => witness.types.length === seen);
      hostile.terminate();
    }),
    { numRuns: RUNS },
  );
  await until(() => sockets.getMetrics().connections === 1);
  expect(failures).toEqual([]);
  expect(witness.closed).toBeUndefined();
});

it.each(['%', '%2500', 'x'.repeat(5_000), '&cursor=a&cursor=b', '\u{1F600}', '&form=other&client=', '&form=legacy'])(
  'takes any address: ?cursor=%s',
  async (search) => {
    const { bus, url } = await servePages();
    const page = await PageClient.open(`${url}?cursor=${search}`);
    await bus.publish('a', 'a');
    await page.until(() => page.frames.some(({ type, event }) => type === 'a' || event?.type === 'a'));
  },
);
