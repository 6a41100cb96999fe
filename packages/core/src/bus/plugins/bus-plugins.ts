import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { MiddlewarePipeline } from '../middleware/middleware-pipeline.ts';
import { loadPlugins } from './load-plugins.ts';
import type { LoadedPlugin, PluginIn, PluginSurroundings } from './plugin.ts';

/** The plugins of a bus: those of its options, which are loaded before the first event, and those that are added later. */
export class BusPlugins {
  readonly #pipeline: MiddlewarePipeline;
  readonly #surroundings: PluginSurroundings;
  readonly #loaded = new Set<LoadedPlugin>();
  #wanted: readonly PluginIn[];
  #loading: Promise<void> | undefined;
  #isClosed = false;

  constructor(pipeline: MiddlewarePipeline, surroundings: PluginSurroundings, wanted: readonly PluginIn[]) {
    if (!Array.isArray(wanted)) throw new TypeError('plugins of an EventBus is a list.');
    this.#pipeline = pipeline;
    this.#surroundings = surroundings;
    this.#wanted = wanted;
  }

  /** Those of the options are not there yet: nothing may be published before. */
  get areWanted(): boolean {
    return this.#wanted.length > 0;
  }

  /** Throws `plugin_failed`; the next call tries again, so nothing is ever published without them. */
  loaded(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      await this.add(this.#wanted, process.cwd());
      this.#wanted = [];
    } finally {
      this.#loading = undefined;
    }
  }

  /** Throws `plugin_failed`; `closed` where the bus was closed meanwhile, and they are closed then. */
  async add(plugins: readonly PluginIn[], from: string): Promise<readonly LoadedPlugin[]> {
    const added = await loadPlugins(this.#pipeline, plugins, { ...this.#surroundings, from });
    const kept = added.map((plugin) => this.#kept(plugin));
    if (!this.#isClosed) return kept;
    await this.close();
    throw new EventManagerError('closed', 'The bus was closed while its plugins were loaded.');
  }

  /** One that is taken away is closed then, and not once more with the bus. */
  #kept(plugin: LoadedPlugin): LoadedPlugin {
    const kept: LoadedPlugin = {
      ...plugin,
      remove: async () => {
        if (this.#loaded.delete(kept)) await plugin.remove();
      },
    };
    this.#loaded.add(kept);
    return kept;
  }

  /** What each of them counted, under its name; of a second one of a name, under `name 2`. */
  get stats(): Readonly<Record<string, unknown>> {
    const stats = new Map<string, unknown>();
    for (const { name, stats: read } of this.#loaded) {
      let free = name;
      for (let count = 2; stats.has(free); count++) free = `${name} ${count}`;
      stats.set(free, read());
    }
    return Object.fromEntries(stats);
  }

  /** Each of them, whatever becomes of the others. Throws what the first one throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const ends = await Promise.allSettled([...this.#loaded].map((plugin) => plugin.remove()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
