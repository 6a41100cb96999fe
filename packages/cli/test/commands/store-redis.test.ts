import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { redis } from '@event-manager/redis';
import { FaultProxy } from '@event-manager/testing';
import { sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys, skipWithout, type TestKeys } from '@event-manager/testing/servers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';
import { spawned } from '../support/spawned.ts';

const COUNT = 20_000;
/** Slow enough that the copy is under way for seconds. */
const BYTES_PER_SECOND = 2 << 20;

let keys: TestKeys;

beforeEach(async (context) => {
  await skipWithout('redis', context);
  keys = await createTestKeys();
});

afterEach(async () => {
  await keys?.remove();
});

const inRedis = () => redis({ url: keys.url, keyPrefix: keys.keyPrefix });
const move = (from: string, to: string, ...more: string[]) => [
  ...['store', 'move', from, to, '--key-prefix', keys.keyPrefix],
  ...more,
];

/** If this failed, nobody could leave Redis, or a subscription would lose what it is owed on the way. */
it('moves a data directory into Redis and back, and subscriptions go on where they stood', async () => {
  const directory = join(temporaryFolder(), 'data');
  const { em, service } = await runningService(directory);
  await em(['subscriptions', 'create', '--name', 'work', '--topic', '#']);
  await em(['publish', '-', '--quiet'], { stdin: '{"type":"a"}\n'.repeat(40) });
  await em(['subscriptions', 'pull', 'work', '--max', '10', '--ack', '--json']);
  const list = async (ask: typeof em) => (await ask(['events', 'list', '--limit', '100', '--json'])).out;
  const before = await list(em);
  await service.stop();

  // The password is not in what everybody on the machine can read.
  const { host, password } = new URL(keys.url);
  const environment = { REDIS_PASSWORD: password };
  const there = await run(move(directory, `redis://${host}`, '--json'), { environment });
  expect([there.code, there.err]).toEqual([0, '']);
  await expect(runningService(directory)).rejects.toMatchObject({ code: 'store_moved' });

  const unchanged = join(temporaryFolder(), 'unchanged');
  const back = await run(move(keys.url, unchanged, '--json'));
  expect(JSON.parse(back.out)).toMatchObject({ checksum: JSON.parse(there.out).checksum, first: 1 });
  const refused = await run(move(keys.url, join(temporaryFolder(), 'other')));
  expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/store reopen\n.*\[store_moved\]/s)]);
  const reopened = await run(['store', 'reopen', keys.url, '--key-prefix', keys.keyPrefix]);
  expect(reopened.out).toBe(`redis at ${host} may be used again\n`);

  const bus = new EventManager({ adapter: inRedis() });
  const { id } = (await bus.listSubscriptions()).find(({ name }) => name === 'work')!;
  const pulled = await bus.pull(id, { max: 100, waitMs: 5_000 });
  expect(pulled).toHaveLength(30);
  for (const delivery of pulled.slice(0, 15)) await delivery.ack();
  await bus.close();
  const later = join(temporaryFolder(), 'later');
  expect((await run(move(keys.url, later))).code).toBe(0);
  const { em: emLater } = await runningService(later);
  // The same events with the same cursors.
  expect(await list(emLater)).toBe(before);
  const rest = new Set<string>();
  const pull = ['subscriptions', 'pull', 'work', '--max', '100', '--wait', '10', '--ack', '--json'];
  while (rest.size < 15) {
    const { out } = await emLater(pull);
    for (const line of out.trim().split('\n')) rest.add(JSON.parse(line).event.id);
  }
  expect([...rest].toSorted()).toEqual(
    pulled
      .slice(15)
      .map(({ event }) => event.id)
      .toSorted(),
  );
});

it('says what is wrong, and both places are as they were', async () => {
  const directory = join(temporaryFolder(), 'data');
  const nothing = await run(move(keys.url, directory));
  expect([nothing.code, nothing.err]).toEqual([4, expect.stringContaining('[store_not_found]')]);
  expect(await run(move(directory, 'redis://somebody:secret@host/not-a-number'))).toMatchObject({ code: 2, out: '' });
  const bus = new EventManager({ adapter: journal({ directory }) });
  await bus.publish({ type: 'a', source: 'test', payload: {} });
  await bus.close();
  const { host } = new URL(keys.url);
  const unknown = await run(move(directory, `redis://${host}`), { environment: { REDIS_PASSWORD: 'hidden-word' } });
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('(WRONGPASS). [invalid_setting]')]);
  expect(unknown.err).not.toContain('hidden-word');

  const used = new EventManager({ adapter: inRedis() });
  await used.publish({ type: 'b', source: 'test', payload: {} });
  await used.close();
  const full = await run(move(directory, keys.url));
  expect([full.code, full.err]).toEqual([1, expect.stringMatching(/Choose another place .*\[store_not_empty\]/s)]);
  const again = new EventManager({ adapter: journal({ directory }) });
  await again.publish({ type: 'c', source: 'test', payload: {} });
  await again.close();
});

it('killed in the middle leaves the source in use and the target refused, and is begun again', async () => {
  const directory = join(temporaryFolder(), 'data');
  const adapter = journal({ directory });
  await adapter.open();
  for (let from = 0; from < COUNT; from += 5_000) await adapter.store.append(sampleEvents(5_000, from));
  await adapter.close();
  await using proxy = await FaultProxy.start(keys.url);
  proxy.set({ bytesPerSecond: BYTES_PER_SECOND });
  const mover = spawned(move(directory, proxy.url));
  await mover.shows(/copying events/);
  await expect.poll(() => proxy.counts.forwarded.up, { timeout: 30_000 }).toBeGreaterThan(1 << 20);
  await expect(inRedis().open()).rejects.toMatchObject({ code: 'store_incomplete' });
  mover.child.kill('SIGKILL');
  await mover.ended;

  const source = journal({ directory });
  await source.open();
  expect(await source.store.bounds()).toMatchObject([{ head: COUNT, events: COUNT }]);
  await source.close();
  await expect(inRedis().open()).rejects.toMatchObject({ code: 'store_incomplete' });
  expect((await run(move(directory, keys.url))).code).toBe(0);
  const target = inRedis();
  await target.open();
  expect(await target.store.bounds()).toMatchObject([{ first: 1, head: COUNT, events: COUNT }]);
  await target.close();
}, 60_000);
