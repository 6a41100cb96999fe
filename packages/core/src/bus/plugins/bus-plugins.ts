import type { MiddlewarePipeline } from '../middleware/middleware-pipeline.ts';
import { loadPlugins } from './load-plugins.ts';
import type { LoadedPlugin, PluginIn, PluginSurroundings } from './plugin.ts';

/** The plugins of a bus: those of its options, which are loaded before the first event, and those that are added later. */
export class BusPlugins {
  readonly #pipeline: MiddlewarePipeline;
  readonly #surroundings: PluginSurroundings;
  readonly #loaded = new Set<LoadedPlugin>();
  #wanted: readonly PluginIn[];
  #loading: Promise<unknown> | undefined;

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
  async loaded(): Promise<void> {
    this.#loading ??= this.add(this.#wanted, process.cwd());
    try {
      await this.#loading;
      this.#wanted = [];
    } finally {
      this.#loading = undefined;
    }
  }

  async add(plugins: readonly PluginIn[], from: string): Promise<readonly LoadedPlugin[]> {
    const added = await loadPlugins(this.#pipeline, plugins, { ...this.#surroundings, from });
    return added.map((plugin) => this.#kept(plugin));
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

  /** What each of them counted, under its name. */
  get stats(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#loaded].map((plugin) => [plugin.name, plugin.stats()]));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#loaded].map((plugin) => plugin.remove()));
  }
}
