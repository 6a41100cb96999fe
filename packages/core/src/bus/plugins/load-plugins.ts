/**
 * Makes the middleware that configuration asks for. First all plugins are made, then all are added: when one cannot be loaded,
 * those made before it are closed again and the pipeline is as it was.
 */
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { wordsOf } from '../../errors/words-of.ts';
import type { JsonObject } from '../../json.ts';
import type { MiddlewarePipeline } from '../middleware/middleware-pipeline.ts';
import { BUILT_IN_PLUGINS } from './built-in-plugins.ts';
import { importModule, moduleUrl } from './import-module.ts';
import type { CreatePlugin, LoadedPlugin, Plugin, PluginIn, PluginSurroundings } from './plugin.ts';

interface Made {
  readonly name: string;
  readonly plugin: Exclude<Plugin, (...given: never[]) => unknown>;
}

/** Throws `plugin_failed`, with the place in the list. */
export async function loadPlugins(
  pipeline: MiddlewarePipeline,
  wanted: readonly PluginIn[],
  { from, ...surroundings }: PluginSurroundings & { readonly from: string },
): Promise<readonly LoadedPlugin[]> {
  const made: Made[] = [];
  try {
    for (const [at, given] of wanted.entries()) made.push(await makePlugin(given, at, from, surroundings));
  } catch (error) {
    await Promise.allSettled(made.map(async ({ plugin }) => plugin.close?.()));
    throw error;
  }
  return made.map(({ name, plugin }) => {
    const takeAway = pipeline.add(plugin.middleware, name);
    return {
      name,
      stats: () => plugin.stats?.(),
      remove: async () => {
        takeAway();
        await plugin.close?.();
      },
    };
  });
}

async function makePlugin(given: PluginIn, at: number, from: string, surroundings: PluginSurroundings): Promise<Made> {
  const read = readPlugin(given);
  const what = `The plugin ${read.path ?? read.name ?? JSON.stringify(given)}`;
  const fail = (words: string, cause?: unknown) =>
    new EventManagerError('plugin_failed', `${what} ${words}`, { pointer: `/${at}` }, cause);
  const create =
    read.path === undefined ? BUILT_IN_PLUGINS.get(read.name ?? '') : await imported(read.path, from, fail);
  if (typeof create !== 'function') {
    const known = [...BUILT_IN_PLUGINS.keys()].join(', ');
    throw fail(
      read.path === undefined
        ? `is unknown; there are ${known}, and any module by its path.`
        : 'has no function as its default export.',
    );
  }
  let plugin: Plugin;
  try {
    plugin = await create(read.options, surroundings);
  } catch (error) {
    throw fail(`cannot be made: ${wordsOf(error)}`, error);
  }
  const named = typeof plugin === 'function' ? { middleware: plugin } : plugin;
  if (typeof named?.middleware !== 'function') throw fail('gave no middleware.');
  return { name: read.name ?? (named.middleware.name || read.path!), plugin: named };
}

async function imported(path: string, from: string, fail: (words: string, cause: unknown) => Error): Promise<unknown> {
  try {
    return (await importModule(moduleUrl({ path, from })))['default'] as CreatePlugin;
  } catch (error) {
    throw fail(`cannot be loaded: ${wordsOf(error)}`, error);
  }
}

interface ReadPlugin {
  readonly name: string | undefined;
  readonly path: string | undefined;
  readonly options: JsonObject;
}

function readPlugin(given: PluginIn): ReadPlugin {
  if (typeof given === 'string') return { name: given, path: undefined, options: {} };
  const { name, path, options = {} } = (given ?? {}) as Partial<ReadPlugin>;
  return { name, path, options };
}
