/**
 * Handlers out of a module that is imported anew while events come. Each handler has a subscription that lives as long as the
 * module names it; what is swapped is the function that the subscription calls. So there is no moment without a handler, and
 * none with two: an event is handled by the old function or by the new one, according to when its attempt began.
 *
 * A reload is all or nothing: the module is imported and looked over, handlers that are new get their subscriptions, then all
 * functions are swapped without an await in between, and only then those end that the module does not name any more. What fails
 * before the swap leaves everything as it was; a handler that cannot end now stays in the list, and the next reload ends it.
 *
 * Node keeps every version of a module until the process ends, and what the module itself imports is not imported anew.
 */
import { isDeepStrictEqual } from 'node:util';
import { EventManagerError, isEventManagerError } from '../../errors/event-manager-error.ts';
import { wordsOf } from '../../errors/words-of.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import type { Timers } from '../../runtime/clock.ts';
import type { BusHandler, BusSubscribeOptions } from '../bus-subscription.ts';
import { folderOf, importModule, moduleUrl } from '../plugins/import-module.ts';
import { watchModule } from './watch-module.ts';

/** A handler as a module says it: its topic, the function, and the options of `subscribe`. */
export interface HandlerDefinition extends BusSubscribeOptions {
  readonly topic: string;
  readonly handler: BusHandler;
}

/** The default export of a module of handlers: each under a name of its own. */
export type HandlerDefinitions = Readonly<Record<string, HandlerDefinition>>;

/** Where handlers are subscribed. */
export interface HandlerHost {
  add(topic: string, handler: BusHandler, options: BusSubscribeOptions): Promise<string>;
  remove(subscriptionId: string): Promise<void>;
}

export interface LoadHandlersOptions {
  /** What the path is relative to: a folder, or the URL of a file in it. Default: the working directory. */
  readonly from?: string | URL | undefined;
  /** Reloads when the file of the module changes. Default: false. */
  readonly watch?: boolean | undefined;
  /** Told of each reload that a change made, with what it failed with. Default: a failure is a warning of the process. */
  readonly onReload?: ((error: unknown) => void) | undefined;
}

interface Live {
  readonly subscriptionId: string;
  readonly definition: HandlerDefinition;
  /** What the subscription calls. */
  readonly slot: { handler: BusHandler };
}

/** One count for the process: Node has every address for ever that any bus ever asked for. */
let importsOfProcess = 0;

export class LoadedHandlers implements AsyncDisposable {
  readonly #host: HandlerHost;
  readonly #path: string;
  readonly #from: string;
  readonly #live = new Map<string, Live>();
  #version = 0;
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();
  #unwatch: (() => void) | undefined;

  /** Imports the module and subscribes its handlers. Throws `plugin_failed` and what `subscribe` throws. */
  static async load(
    host: HandlerHost,
    path: string,
    options: LoadHandlersOptions,
    timers: Timers,
  ): Promise<LoadedHandlers> {
    refuseUnknownOptions(
      options,
      ['from', 'watch', 'onReload'] satisfies (keyof LoadHandlersOptions)[],
      'loadHandlers',
    );
    const { from, watch = false, onReload = warnOfFailure } = options;
    const loaded = new LoadedHandlers(host, path, folderOf(from));
    await loaded.reload();
    try {
      if (watch) loaded.#watch(timers, onReload);
    } catch (error) {
      // Nobody would have what ends them.
      await loaded.close();
      throw loaded.#fail(`cannot be watched: ${wordsOf(error)}`, error);
    }
    return loaded;
  }

  private constructor(host: HandlerHost, path: string, from: string) {
    this.#host = host;
    this.#path = path;
    this.#from = from;
  }

  /** How often the module was imported. */
  get version(): number {
    return this.#version;
  }

  /** Names of the handlers with the ids of their subscriptions. */
  get subscriptions(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#live].map(([name, { subscriptionId }]) => [name, subscriptionId]));
  }

  /**
   * Imports the module anew and goes on with its functions. Throws `plugin_failed`, for a module that cannot be imported and for a
   * handler whose topic or options are not what they were, and what `subscribe` throws; the handlers are then the old ones.
   */
  reload(): Promise<void> {
    return this.#inTurn(() => this.#reload());
  }

  /** The handlers leave, as by `unsubscribe`. */
  close(): Promise<void> {
    this.stop();
    return this.#inTurn(() => this.#leave([...this.#live.keys()]));
  }

  /** Nothing is reloaded any more; the handlers go on. */
  stop(): void {
    this.#isClosed = true;
    this.#unwatch?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #watch(timers: Timers, onReload: (error: unknown) => void): void {
    const url = moduleUrl({ path: this.#path, from: this.#from });
    const tell = (error: unknown) => {
      try {
        onReload(error);
      } catch (another) {
        warnOfFailure(another);
      }
    };
    this.#unwatch = watchModule(url, timers, () => {
      this.reload().then(
        () => tell(undefined),
        (error: unknown) => {
          if (!this.#isClosed) tell(error);
        },
      );
    });
  }

  async #reload(): Promise<void> {
    if (this.#isClosed) throw new EventManagerError('closed', 'The handlers have left the bus.');
    const definitions = await this.#import();
    for (const [name, definition] of definitions) {
      const live = this.#live.get(name);
      if (live && !isSameSubscription(live.definition, definition)) {
        throw this.#fail(`changes the topic or the options of ${name}: give it another name, or restart.`);
      }
    }
    const added = await this.#subscribe([...definitions].filter(([name]) => !this.#live.has(name)));
    for (const [name, { slot }] of this.#live) slot.handler = definitions.get(name)?.handler ?? slot.handler;
    for (const [name, live] of added) this.#live.set(name, live);
    await this.#leave([...this.#live.keys()].filter((name) => !definitions.has(name)));
  }

  async #import(): Promise<ReadonlyMap<string, HandlerDefinition>> {
    let exported: unknown;
    try {
      const url = moduleUrl({ path: this.#path, from: this.#from });
      exported = (await importModule(url, ++importsOfProcess))['default'];
    } catch (error) {
      throw this.#fail(`cannot be loaded: ${wordsOf(error)}`, error);
    } finally {
      this.#version++;
    }
    if (typeof exported !== 'object' || exported === null) throw this.#fail('has no object as its default export.');
    const definitions = new Map(Object.entries(exported as HandlerDefinitions));
    for (const [name, definition] of definitions) {
      const isUsable = typeof definition?.topic === 'string' && typeof definition.handler === 'function';
      if (!isUsable) throw this.#fail(`says of ${name} no topic or no handler.`);
    }
    return definitions;
  }

  async #subscribe(definitions: readonly (readonly [string, HandlerDefinition])[]): Promise<[string, Live][]> {
    const made: [string, Live][] = [];
    try {
      for (const [name, definition] of definitions) {
        const { topic, handler, ...options } = definition;
        const slot = { handler };
        const call: BusHandler = (event, context) => slot.handler(event, context);
        made.push([name, { subscriptionId: await this.#host.add(topic, call, options), definition, slot }]);
      }
    } catch (error) {
      // What they say is less than why they are not wanted.
      await Promise.allSettled(made.map(([, { subscriptionId }]) => this.#host.remove(subscriptionId)));
      throw error;
    }
    return made;
  }

  /** Each of them, whatever becomes of the others. Throws what the first one throws. */
  async #leave(names: readonly string[]): Promise<void> {
    const ends = await Promise.allSettled(names.map((name) => this.#leaveOne(name)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #leaveOne(name: string): Promise<void> {
    try {
      await this.#host.remove(this.#live.get(name)!.subscriptionId);
    } catch (error) {
      // Somebody else took it away, or the bus is closed: it has left.
      if (!isEventManagerError(error, 'subscription_not_found') && !isEventManagerError(error, 'closed')) throw error;
    }
    this.#live.delete(name);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #fail(words: string, cause?: unknown): EventManagerError {
    return new EventManagerError('plugin_failed', `The module of handlers ${this.#path} ${words}`, {}, cause);
  }
}

function isSameSubscription(a: HandlerDefinition, b: HandlerDefinition): boolean {
  return isDeepStrictEqual({ ...a, handler: undefined }, { ...b, handler: undefined });
}

function warnOfFailure(error: unknown): void {
  if (error === undefined) return;
  const words = `The handlers stay as they are: ${wordsOf(error)}`;
  process.emitWarning(words, { code: 'EVENT_BUS_RELOAD_FAILED' });
}
