import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { postgres } from '@event-manager/postgres';
import { createTestDatabase, skipWithout, type TestDatabase } from '@event-manager/testing/servers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';

let database: TestDatabase;

beforeEach(async (context) => {
  await skipWithout('postgres', context);
  database = await createTestDatabase();
});

afterEach(async () => {
  await database?.drop();
});

it('moves a data directory into a database and back, and subscriptions go on where they stood', async () => {
  const directory = join(temporaryFolder(), 'data');
  const { em, service } = await runningService(directory);
  await em(['subscriptions', 'create', '--name', 'work', '--topic', '#']);
  await em(['publish', '-', '--quiet'], { stdin: '{"type":"a"}\n'.repeat(40) });
  const taken = await em(['subscriptions', 'pull', 'work', '--max', '10', '--ack', '--json']);
  expect(taken.out.trim().split('\n')).toHaveLength(10);
  const list = async (ask: typeof em) => (await ask(['events', 'list', '--limit', '100', '--json'])).out;
  const before = await list(em);
  const refused = await run(['store', 'move', directory, database.url]);
  expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/Stop the service .*\n.*\[store_locked\]/s)]);
  await service.stop();

  const moved = await run(['store', 'move', directory, database.url]);
  expect([moved.code, moved.out]).toEqual([0, expect.stringMatching(/^moved \d+ events .*\ncopied .*\nsha256 /)]);
  expect(moved.err).toMatch(/copying events …\ncopying records …\nverifying events …\nverifying records …/);
  expect(moved.out).not.toContain('postgres@');
  await expect(runningService(directory)).rejects.toMatchObject({ code: 'store_moved' });

  const bus = new EventManager({ adapter: postgres({ url: database.url }) });
  const { id } = (await bus.listSubscriptions()).find(({ name }) => name === 'work')!;
  const pulled = await bus.pull(id, { max: 100, waitMs: 1_000 });
  for (const delivery of pulled.slice(0, 15)) await delivery.ack();
  expect(pulled).toHaveLength(30);
  await bus.close();

  const back = join(temporaryFolder(), 'back');
  const json = await run(['store', 'move', database.url, back, '--json']);
  expect(JSON.parse(json.out)).toMatchObject({ first: 1, events: expect.any(Number), checksum: expect.any(String) });
  const { em: emBack } = await runningService(back);
  // The same events with the same cursors.
  expect(await list(emBack)).toBe(before);
  const rest = new Set<string>();
  const pull = ['subscriptions', 'pull', 'work', '--max', '100', '--wait', '10', '--ack', '--json'];
  while (rest.size < 15) {
    const { out } = await emBack(pull);
    for (const line of out.trim().split('\n')) rest.add(JSON.parse(line).event.id);
  }
  const left = pulled.slice(15).map(({ event }) => event.id);
  expect([...rest].toSorted()).toEqual(left.toSorted());
});

it('says what is wrong, and both places are as they were', async () => {
  const directory = temporaryFolder();
  const nowhere = await run(['store', 'move', join(directory, 'nothing'), database.url]);
  expect([nowhere.code, nowhere.err]).toEqual([4, expect.stringContaining('[store_not_found]')]);
  const noStore = await run(['store', 'move', database.url, join(directory, 'target')]);
  expect([noStore.code, noStore.err]).toEqual([4, expect.stringContaining('[store_not_found]')]);

  const adapter = journal({ directory });
  const bus = new EventManager({ adapter });
  await bus.publish({ type: 'a', source: 'test', payload: {} });
  await bus.close();
  const unreachable = await run(['store', 'move', directory, 'postgresql://somebody:secret@127.0.0.1:1/none']);
  expect([unreachable.code, unreachable.err]).toEqual([1, expect.stringContaining('[store_unavailable]')]);
  expect(unreachable.err).not.toContain('secret');
  expect(await run(['store', 'move', directory, 'postgresql://['])).toMatchObject({ code: 2 });

  const used = new EventManager({ adapter: postgres({ url: database.url }) });
  await used.publish({ type: 'b', source: 'test', payload: {} });
  await used.close();
  const full = await run(['store', 'move', directory, database.url]);
  expect([full.code, full.err]).toEqual([1, expect.stringMatching(/Choose another place .*\[store_not_empty\]/s)]);

  const again = new EventManager({ adapter: journal({ directory }) });
  await again.publish({ type: 'c', source: 'test', payload: {} });
  await again.close();
});

it('uses a store again that was moved from, when that is asked for', async () => {
  const directory = join(temporaryFolder(), 'data');
  const bus = new EventManager({ adapter: journal({ directory }) });
  await bus.publish({ type: 'a', source: 'test', payload: {} });
  await bus.close();
  expect((await run(['store', 'move', directory, database.url])).code).toBe(0);
  const refused = await run(['store', 'move', directory, join(temporaryFolder(), 'other')]);
  expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/store reopen\n.*\[store_moved\]/s)]);
  expect((await run(['store', 'reopen', directory])).out).toContain('may be used again');
  await runningService(directory);
});
