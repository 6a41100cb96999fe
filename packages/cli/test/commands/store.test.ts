import { join } from 'node:path';
import { type EventBusAdapter, EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { runJournalCommand } from '@event-manager/journal/commands';
import { postgres } from '@event-manager/postgres';
import { createTestDatabase, skipWithout, type TestDatabase } from '@event-manager/testing/servers';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, start, temporaryFolder } from '../support/run.ts';
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

/** If this failed, a log that lost nothing would be told as damaged for ever once it has moved, or could not move at all. */
it('moves a log that branched several times, also since it was last used, and tells of no loss', async () => {
  const client = new Client(database.url);
  await client.connect();
  const published: string[] = [];
  for (let branches = 0; branches < 3; branches++) {
    const bus = new EventManager({ adapter: postgres({ url: database.url }) });
    for (let n = 0; n < 5; n++) published.push((await bus.publish({ type: 'a', source: 'test', payload: {} })).id);
    await bus.close();
    // As after a promotion: the server is on another timeline than the log knows.
    await client.query('UPDATE log_head SET timeline = timeline + 1000');
  }
  await client.end();
  const directory = join(temporaryFolder(), 'data');
  const moved = await run(['store', 'move', database.url, directory, '--json']);
  expect([moved.code, JSON.parse(moved.out)]).toEqual([0, expect.objectContaining({ events: published.length })]);
  expect(await runJournalCommand('verify', directory)).toMatchObject({ isDamaged: false });
  expect(await foundIn(journal({ directory }))).toEqual(published);
  await using back = await createTestDatabase();
  expect((await run(['store', 'move', directory, back.url])).code).toBe(0);
  expect(await foundIn(postgres({ url: back.url }))).toEqual(published);
});

/** The ids of all events in order, of a store that says that nothing is lost. */
async function foundIn(adapter: EventBusAdapter): Promise<string[]> {
  await adapter.open();
  const ids: string[] = [];
  const [bounds] = await adapter.store.bounds();
  for (let after = 0; after < bounds!.head; ) {
    const { records, scannedTo, lost } = await adapter.store.read(0, after, { limit: 7, bytesMax: 1e6 });
    expect(lost).toBeUndefined();
    ids.push(...records.map(({ id }) => id));
    after = scannedTo;
  }
  expect(adapter.health()).toMatchObject({ status: 'ok' });
  expect(adapter.health().lost).toBeUndefined();
  expect(bounds!.events).toBe(ids.length);
  await adapter.close();
  return ids;
}

/** A store in the database, of which a test holds a table; `release` lets go. */
async function heldStore(lock: string): Promise<{ readonly ask: Client; release(): Promise<void> }> {
  const bus = new EventManager({ adapter: postgres({ url: database.url }) });
  await bus.publish({ type: 'a', source: 'test', payload: {} });
  await bus.close();
  const [holder, ask] = [new Client(database.url), new Client(database.url)];
  for (const client of [holder, ask]) await client.connect();
  await holder.query('BEGIN');
  await holder.query(lock);
  const release = async () => {
    for (const client of [holder, ask]) await client.end();
  };
  return { ask, release };
}

/** If this failed, whoever pressed Ctrl-C would go on with a store that is marked, or start the service on the wrong one. */
it('says that everything was moved when it is interrupted behind the comparison', async () => {
  const held = await heldStore('SELECT 1 FROM store_standing FOR UPDATE');
  const directory = join(temporaryFolder(), 'data');
  const moving = start(['store', 'move', database.url, directory]);
  const isMarking = async () => {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%''moved''%'
      AND datname = current_database()`;
    return (await held.ask.query(waiting)).rows.length > 0;
  };
  await expect.poll(isMarking, { timeout: 30_000 }).toBe(true);
  moving.interrupt();
  await held.release();
  const { code, out, err } = await moving.result;
  expect([code, out]).toEqual([0, expect.stringMatching(/^moved \d+ events /)]);
  expect(err).not.toContain('Nothing was moved');
  await expect(postgres({ url: database.url }).open()).rejects.toMatchObject({ code: 'store_moved' });
  await runningService(directory);
});

it('says that nothing was moved when it is interrupted before, and the source goes on', async () => {
  const held = await heldStore('LOCK TABLE state_records');
  const directory = join(temporaryFolder(), 'data');
  const moving = start(['store', 'move', database.url, directory]);
  await moving.shows('copying events');
  moving.interrupt();
  await held.release();
  const { code, out, err } = await moving.result;
  expect([code, out, err]).toEqual([130, '', expect.stringContaining('Nothing was moved; database ')]);
  const bus = new EventManager({ adapter: postgres({ url: database.url }) });
  await bus.publish({ type: 'b', source: 'test', payload: {} });
  await bus.close();
});

it('says what failed when it was interrupted as well', async () => {
  const held = await heldStore('SELECT 1 FROM store_standing FOR UPDATE');
  const moving = start(['store', 'move', database.url, join(temporaryFolder(), 'data')]);
  const ended = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
    AND query LIKE '%''moved''%' AND datname = current_database()`;
  const waiting = ended.replace('pg_terminate_backend(pid)', 'pid');
  const isMarking = async () => (await held.ask.query(waiting)).rows.length > 0;
  await expect.poll(isMarking, { timeout: 30_000 }).toBe(true);
  moving.interrupt();
  await held.ask.query(ended);
  const { code, err } = await moving.result;
  expect([code, err]).toEqual([1, expect.stringContaining('[store_unavailable]')]);
  expect(err).not.toContain('Nothing was moved');
  await held.release();
});
