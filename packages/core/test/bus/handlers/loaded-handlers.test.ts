import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type EventBus, EventManagerError, LoadedHandlers, systemRuntime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { moduleFolder } from '../module-folder.ts';

interface Seen {
  readonly by: string;
  readonly n: number;
}
const seen: Seen[] = [];
(globalThis as { seenByHandlers?: Seen[] }).seenByHandlers = seen;

/** A module whose handlers write down who got what. */
function handlers(version: string, names: readonly string[] = ['first'], options = ''): string {
  const entries = names.map(
    (name) => `${name}: { topic: 'n.${name}', ${options} handler: async ({ data }) => {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.seenByHandlers.push({ by: '${version}', n: data.n });
    } }`,
  );
  return `export default { ${entries.join(', ')} };`;
}

async function publish(bus: EventBus, n: number, topic = 'n.first'): Promise<void> {
  await bus.publish({ type: 'n', topic, data: { n } });
}

it.each([
  ['in memory, without a name', () => ({}), ''],
  [
    'on a journal, in a group',
    (path: string) => ({ adapter: journal({ directory: `${path}/data` }) }),
    "consumerGroup: 'g',",
  ],
])('swaps handlers a hundred times under load, and each event is handled once: %s', async (_, options, more) => {
  const { path, write } = moduleFolder();
  const bus = keptBus(options(path));
  seen.length = 0;
  write('handlers.mjs', handlers('0', ['first'], more));
  const loaded = await bus.loadHandlers('./handlers.mjs', { from: path });
  const { subscriptions } = loaded;
  const publishing: Promise<void>[] = [];
  for (let swap = 1; swap <= 100; swap++) {
    for (let n = 0; n < 100; n++) publishing.push(publish(bus, (swap - 1) * 100 + n));
    write('handlers.mjs', handlers(String(swap), ['first'], more));
    await loaded.reload();
  }
  await Promise.all(publishing);
  await bus.settled();
  expect(seen.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  expect(new Set(seen.map(({ by }) => by)).size).toBeGreaterThan(10);
  expect(loaded.version).toBe(101);
  expect(loaded.subscriptions).toEqual(subscriptions);
});

it.each([
  ['does not parse', 'export default {'],
  ['throws', "throw new RangeError('no')"],
  ['exports nothing', 'export const a = 1'],
  ['names no handler', "export default { first: { topic: 'n.first' } }"],
  ['changes a topic', "export default { first: { topic: 'n.other', handler() {} } }"],
  ['changes options', "export default { first: { topic: 'n.first', maxRetries: 9, handler() {} } }"],
  [
    'asks for what cannot be',
    "export default { first: { topic: 'n.first', handler() {} }, y: { topic: 'n.y', handler() {} }, x: { topic: 'a*b', handler() {} } }",
  ],
])('keeps the handlers it has when the new module %s', async (_, text) => {
  const { path, write } = moduleFolder();
  const bus = keptBus();
  seen.length = 0;
  write('handlers.mjs', handlers('old'));
  const loaded = await bus.loadHandlers('./handlers.mjs', { from: path });
  write('handlers.mjs', text);
  await expect(loaded.reload()).rejects.toMatchObject({ code: expect.stringMatching(/plugin_failed|invalid_pattern/) });
  await publish(bus, 1);
  expect(seen).toEqual([{ by: 'old', n: 1 }]);
  expect((await bus.getStats()).activeSubscriptions).toBe(1);
  write('handlers.mjs', handlers('new'));
  await loaded.reload();
  await publish(bus, 2);
  expect(seen).toEqual([
    { by: 'old', n: 1 },
    { by: 'new', n: 2 },
  ]);
});

it('subscribes what a new module names, and ends what it does not name any more', async () => {
  const { path, write } = moduleFolder();
  const bus = keptBus();
  seen.length = 0;
  write('handlers.mjs', handlers('1', ['first', 'second']));
  const loaded = await bus.loadHandlers('./handlers.mjs', { from: path });
  write('handlers.mjs', handlers('2', ['second', 'third']));
  await loaded.reload();
  expect(Object.keys(loaded.subscriptions)).toEqual(['second', 'third']);
  for (const [n, name] of ['first', 'second', 'third'].entries()) await publish(bus, n, `n.${name}`);
  expect(seen).toEqual([
    { by: '2', n: 1 },
    { by: '2', n: 2 },
  ]);
  await loaded.close();
  expect((await bus.getStats()).activeSubscriptions).toBe(0);
  await expect(loaded.reload()).rejects.toMatchObject({ code: 'closed' });
});

it('reloads a module whose file changes, where that is asked for, and tells of one that it cannot load', async () => {
  const { path, write } = moduleFolder();
  const bus = keptBus();
  seen.length = 0;
  write('handlers.mjs', handlers('1'));
  const told: unknown[] = [];
  const onReload = (error: unknown) => void told.push((error as { code?: string } | undefined)?.code);
  const loaded = await bus.loadHandlers('./handlers.mjs', { from: path, watch: true, onReload });
  write('beside.mjs', 'export default {}');
  write('handlers.mjs', handlers('2'));
  await expect.poll(() => told).toEqual([undefined]);
  await publish(bus, 1);
  write('handlers.mjs', 'export default {');
  await expect.poll(() => told).toEqual([undefined, 'plugin_failed']);
  await publish(bus, 2);
  // As editors do it.
  write('handlers.new', handlers('3'));
  renameSync(join(path, 'handlers.new'), join(path, 'handlers.mjs'));
  await expect.poll(() => told).toHaveLength(3);
  await publish(bus, 3);
  expect(seen.map(({ by, n }) => [by, n])).toEqual([
    ['2', 1],
    ['2', 2],
    ['3', 3],
  ]);
  expect(loaded.version).toBe(4);
  await bus.close();
  await expect(loaded.reload()).rejects.toMatchObject({ code: 'closed' });
});

it('loads nothing of a module that is not there', async () => {
  const bus = keptBus();
  await expect(bus.loadHandlers('./nothing.mjs')).rejects.toMatchObject({ code: 'plugin_failed' });
});

it('imports a module anew that was loaded before, also by another bus', async () => {
  const { path, write } = moduleFolder();
  seen.length = 0;
  for (const version of ['old', 'new']) {
    write('handlers.mjs', handlers(version));
    const bus = keptBus();
    await using loaded = await bus.loadHandlers('./handlers.mjs', { from: path });
    expect(loaded.version).toBe(1);
    await publish(bus, 1);
    await bus.settled();
  }
  expect(seen.map(({ by }) => by)).toEqual(['old', 'new']);
});

it('ends every handler that the module does not name any more, also when somebody else ended one of them', async () => {
  const { path, write } = moduleFolder();
  const bus = keptBus();
  seen.length = 0;
  write('handlers.mjs', handlers('1', ['first', 'second', 'third']));
  const loaded = await bus.loadHandlers('./handlers.mjs', { from: path });
  await bus.unsubscribe(loaded.subscriptions['first']!);
  write('handlers.mjs', handlers('2', ['third']));
  await loaded.reload();
  for (const [n, name] of ['first', 'second', 'third'].entries()) await publish(bus, n, `n.${name}`);
  expect(seen).toEqual([{ by: '2', n: 2 }]);
  await bus.unsubscribe(loaded.subscriptions['third']!);
  await loaded.close();
  expect((await bus.getStats()).activeSubscriptions).toBe(0);
});

it('tries again to end a handler that could not be ended', async () => {
  const { path, write } = moduleFolder();
  const removed: string[] = [];
  let isAway = true;
  const host = {
    add: async (topic: string) => topic,
    remove: async (id: string) => {
      if (isAway && id === 'n.first') throw new EventManagerError('store_unavailable', 'It is away.');
      removed.push(id);
    },
  };
  write('handlers.mjs', handlers('1', ['first', 'second']));
  const loaded = await LoadedHandlers.load(host, './handlers.mjs', { from: path }, systemRuntime.timers);
  write('handlers.mjs', handlers('2', []));
  await expect(loaded.reload()).rejects.toMatchObject({ code: 'store_unavailable' });
  expect([removed, Object.keys(loaded.subscriptions)]).toEqual([['n.second'], ['first']]);
  isAway = false;
  await loaded.reload();
  expect([removed, Object.keys(loaded.subscriptions)]).toEqual([['n.second', 'n.first'], []]);
});

it('leaves a bus that is closed, and subscribes nothing where its module cannot be watched', async () => {
  const { path, write } = moduleFolder();
  const bus = keptBus();
  write('handlers.mjs', handlers('1'));
  const loaded = await bus.loadHandlers('./handlers.mjs', { from: path });
  mkdirSync(join(path, 'gone'));
  write(
    'gone/handlers.mjs',
    `import { rmSync } from 'node:fs';
    rmSync(import.meta.dirname, { recursive: true });
    ${handlers('1')}`,
  );
  const unwatched = bus.loadHandlers('./gone/handlers.mjs', { from: path, watch: true });
  await expect(unwatched).rejects.toMatchObject({ code: 'plugin_failed' });
  expect((await bus.getStats()).activeSubscriptions).toBe(1);
  await bus.close();
  await loaded.close();
  expect(loaded.subscriptions).toEqual({});
});
