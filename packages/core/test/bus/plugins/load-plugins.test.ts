import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EventBus, type PluginIn } from '@event-manager/core';
import { ajvSchemas } from '@event-manager/schema';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { moduleFolder } from '../module-folder.ts';

const PLUGIN = `
export const closed = [];
export default async function stamp({ tag }, { runtime }) {
  if (tag === undefined) throw new TypeError('a tag is needed');
  let count = 0;
  return {
    middleware: function stamp(event, next) {
      count++;
      return next({ ...event, metadata: { ...event.metadata, tags: [tag, typeof runtime.clock.wallMs()] } });
    },
    stats: () => ({ count }),
    close: () => void (globalThis.closedPlugins = [...(globalThis.closedPlugins ?? []), tag]),
  };
}
`;
const closed = () => (globalThis as { closedPlugins?: string[] }).closedPlugins ?? [];

it('adds what plain configuration names, before the first event is published', async () => {
  const plugins: readonly PluginIn[] = [
    'metrics',
    { name: 'error-handling', options: { passOver: ['logging'] } },
    { name: 'filtering', options: { excludeTypes: ['noise'] } },
    { name: 'rate-limiting', options: { limit: 2, windowMs: 3_600_000, key: 'source' } },
    { name: 'validation', options: { schemas: { order: { type: 'object', required: ['id'] } } } },
  ];
  const bus = keptBus({ plugins: JSON.parse(JSON.stringify(plugins)), schemas: ajvSchemas() });
  const outcomes = await Promise.all(
    [
      { type: 'noise', data: {} },
      { type: 'order', data: {} },
      { type: 'order', data: { id: 1 } },
      { type: 'order', data: { id: 2 } },
      { type: 'order', source: 'other', data: { id: 3 } },
    ].map((event) =>
      bus.publish(event).then(
        (result) => ('filtered' in result ? result.by : 'stored'),
        ({ code }) => code,
      ),
    ),
  );
  expect(outcomes).toEqual(['filtering', 'schema_violation', 'stored', 'rate_limited', 'stored']);
  expect(bus.getMiddlewareStats().map(({ name }) => name)).toEqual([
    'metrics',
    'error-handling',
    'filtering',
    'rate-limiting',
    'validation',
  ]);
});

it('adds a module by its path, gives it its options, and closes it with the bus', async () => {
  const { path, write } = moduleFolder();
  write('stamp.mjs', PLUGIN);
  const bus = new EventBus();
  const [stamp, metrics] = await bus.usePlugins([{ path: './stamp.mjs', options: { tag: 'red' } }, 'metrics'], {
    from: path,
  });
  const tags: unknown[] = [];
  await bus.subscribe('*', ({ metadata }) => void tags.push(...metadata.tags));
  await bus.publish({ type: 'a', data: {} });
  expect(tags).toEqual(['red', 'number']);
  expect(stamp).toMatchObject({ name: 'stamp' });
  expect(stamp!.stats()).toEqual({ count: 1 });
  expect(metrics!.stats()).toMatchObject({ stored: 1 });
  expect(bus.getPluginStats()).toMatchObject({ stamp: { count: 1 }, metrics: { stored: 1 } });
  await metrics!.remove();
  expect(Object.keys(bus.getPluginStats())).toEqual(['stamp']);
  expect(bus.getMiddlewareStats().map(({ name }) => name)).toEqual(['stamp']);
  const before = closed().length;
  await bus.close();
  await stamp!.remove();
  expect(closed().slice(before)).toEqual(['red']);
});

it('adds a package by its name, looked up from where it is said', async () => {
  const { path, write } = moduleFolder();
  const folder = join('node_modules', '@somebody', 'stamp');
  mkdirSync(join(path, folder), { recursive: true });
  write(join(folder, 'package.json'), '{"name": "@somebody/stamp", "type": "module", "exports": "./index.js"}');
  write(join(folder, 'index.js'), PLUGIN);
  const bus = keptBus();
  await bus.usePlugins([{ path: '@somebody/stamp', name: 'ours', options: { tag: 'green' } }], { from: path });
  expect(bus.getMiddlewareStats().map(({ name }) => name)).toEqual(['ours']);
});

it.each([
  ['an unknown name', ['metrics', 'loging'], 'there are logging, metrics'],
  ['options that do not fit', [{ name: 'rate-limiting', options: { limit: 0 } }], 'limit is a number'],
  ['a word that is no key', [{ name: 'rate-limiting', options: { limit: 1, key: 'user' } }], 'source, type, topic'],
  ['an option that nobody reads', [{ name: 'logging', options: { level: 'x' } }], 'level'],
  ['a module that is not there', ['metrics', { path: './nothing.mjs' }], 'cannot be loaded'],
  ['a package that is not there', [{ path: '@nobody/has-this' }], 'cannot be loaded'],
  ['a module that does not parse', [{ path: './broken.mjs' }], 'cannot be loaded'],
  ['a module without a function', [{ path: './empty.mjs' }], 'default export'],
  ['a plugin that throws', [{ path: './stamp.mjs' }], 'a tag is needed'],
  ['a plugin that gives nothing', [{ path: './nothing-given.mjs' }], 'gave no middleware'],
  ['what is no plugin', [null], 'is unknown'],
])('refuses %s and leaves the bus as it was', async (_, plugins, words) => {
  const { path, write } = moduleFolder();
  write('stamp.mjs', PLUGIN);
  write('broken.mjs', 'export default {');
  write('empty.mjs', 'export const a = 1;');
  write('nothing-given.mjs', 'export default () => undefined;');
  const bus = keptBus();
  const before = closed().length;
  const wanted = [{ path: './stamp.mjs', options: { tag: 'blue' } }, ...plugins] as PluginIn[];
  const refused = bus.usePlugins(wanted, { from: path });
  await expect(refused).rejects.toMatchObject({ code: 'plugin_failed', message: expect.stringContaining(words) });
  await expect(refused).rejects.toMatchObject({ details: { pointer: `/${wanted.length - 1}` } });
  expect(bus.getMiddlewareStats()).toEqual([]);
  expect(closed()).toHaveLength(before + 1);
});

it('puts plugins that are added before the first event behind those of the options', async () => {
  const bus = keptBus({ plugins: ['metrics'] });
  await bus.usePlugins([{ name: 'logging', options: {} }]);
  expect(bus.getMiddlewareStats().map(({ name }) => name)).toEqual(['metrics', 'logging']);
});

it('publishes nothing without a plugin that the options name', async () => {
  const bus = keptBus({ plugins: [{ path: './nothing.mjs' }] });
  await expect(bus.publish({ type: 'a', data: {} })).rejects.toMatchObject({ code: 'plugin_failed' });
  await expect(bus.publish({ type: 'a', data: {} })).rejects.toMatchObject({ code: 'plugin_failed' });
  expect((await bus.getStats()).publishedEvents).toBe(0);
});

it('closes a plugin that is made while the bus is closed, and makes none afterwards', async () => {
  const { path, write } = moduleFolder();
  write('stamp.mjs', `${PLUGIN}\nawait globalThis.pluginGate;`);
  const gate = Promise.withResolvers<void>();
  Object.assign(globalThis, { pluginGate: gate.promise });
  const bus = new EventBus();
  const before = closed().length;
  const plugin = { path: './stamp.mjs', options: { tag: 'late' } };
  const loading = bus.usePlugins([plugin], { from: path });
  loading.catch(() => {});
  await bus.close();
  gate.resolve();
  await expect(loading).rejects.toMatchObject({ code: 'closed' });
  expect(closed().slice(before)).toEqual(['late']);
  await expect(bus.usePlugins([plugin], { from: path })).rejects.toMatchObject({ code: 'closed' });
  expect(closed()).toHaveLength(before + 1);
  const other = new EventBus({ plugins: [{ path: join(path, 'stamp.mjs'), options: { tag: 'never' } }] });
  await other.close();
  await expect(other.publish({ type: 'a', data: {} })).rejects.toMatchObject({ code: 'closed' });
  expect(closed()).toHaveLength(before + 1);
});

it('shows the numbers of each of two plugins of one name', async () => {
  const bus = keptBus({ plugins: ['metrics', { name: 'filtering', options: { types: ['a'] } }, 'metrics'] });
  for (const type of ['a', 'b']) await bus.publish({ type, data: {} });
  expect(bus.getPluginStats()).toMatchObject({
    metrics: { stored: 1, filtered: 1 },
    'metrics 2': { stored: 1, filtered: 0 },
  });
});
