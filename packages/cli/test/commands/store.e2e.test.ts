import { join } from 'node:path';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import { sampleEvents } from '@event-manager/testing/conformance';
import { createTestDatabase, skipWithout } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { run, temporaryFolder } from '../support/run.ts';
import { spawned } from '../support/spawned.ts';

const COUNT = 30_000;
/** Slow enough that the copy is under way for seconds. */
const BYTES_PER_SECOND = 2 << 20;

it('killed in the middle leaves the source in use and the target refused, and is begun again', async (context) => {
  await skipWithout('postgres', context);
  await using database = await createTestDatabase();
  const directory = join(temporaryFolder(), 'data');
  const adapter = journal({ directory });
  await adapter.open();
  for (let from = 0; from < COUNT; from += 5_000) await adapter.store.append(sampleEvents(5_000, from));
  await adapter.close();

  const proxy = await FaultProxy.start(database.url);
  proxy.set({ bytesPerSecond: BYTES_PER_SECOND });
  const mover = spawned(['store', 'move', directory, proxy.url]);
  await mover.shows(/copying events/);
  await expect.poll(() => proxy.counts.forwarded.up, { timeout: 30_000 }).toBeGreaterThan(3 << 20);
  // Nobody else comes in meanwhile, to either side.
  await expect(journal({ directory }).open()).rejects.toMatchObject({ code: 'store_locked' });
  await expect(postgres({ url: database.url }).open()).rejects.toMatchObject({ code: 'store_incomplete' });
  const other = await run(['store', 'move', database.url, join(temporaryFolder(), 'other')]);
  expect(other.err).toContain('[store_incomplete]');
  mover.child.kill('SIGKILL');
  await mover.ended;
  await proxy.close();

  const source = journal({ directory });
  await source.open();
  expect(await source.store.bounds()).toMatchObject([{ head: COUNT, events: COUNT }]);
  await source.close();
  await expect(postgres({ url: database.url }).open()).rejects.toMatchObject({ code: 'store_incomplete' });
  // The server takes a moment to notice that the process is gone.
  const begin = () => run(['store', 'move', directory, database.url, '--json']);
  await expect.poll(async () => (await begin()).code, { timeout: 60_000 }).toBe(0);
  const target = postgres({ url: database.url });
  await target.open();
  expect(await target.store.bounds()).toMatchObject([{ first: 1, head: COUNT, events: COUNT }]);
  await target.close();
});
