/**
 * The adapter of a bus inside one process: everything in memory, with a history for tests; or, with `persistToDisk`, the same face
 * with a journal beneath it. Which package keeps a journal is known to `load-adapter.ts` alone, and it is loaded when the adapter
 * is opened:
 *
 *     made ──open, initialize──▶ open ──close──▶ closed        in memory: closed ──open──▶ open, with what it held
 *
 * On a journal the history is a copy of the newest events of its log, filled when it is opened; what is owed is the log's.
 */
import type { AdapterHealth, EventBusAdapter, Supports } from '../contracts/adapter.ts';
import type { Appendable, Appended, EventStore } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { MemoryAdapter } from '../memory/memory-adapter.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { matchesPattern, parsePattern } from '../topic/pattern.ts';
import { loadJournal } from './load-adapter.ts';

export interface InMemoryOptions {
  /** How many of the newest events `getHistory` and queries see. Default: 1,000. */
  readonly maxHistorySize?: number | undefined;
  /** Keeps everything in a journal. Default: false. */
  readonly persistToDisk?: boolean | undefined;
  /** Folder of that journal. */
  readonly dataDir?: string | undefined;
  readonly runtime?: Runtime | undefined;
}

/** `MAX_HISTORY` of the sources this bus follows. */
const HISTORY_MAX = 1_000;
const FIND_BUDGET_MS = 1_000;

const OPTION_NAMES = ['maxHistorySize', 'persistToDisk', 'dataDir', 'runtime'] satisfies (keyof InMemoryOptions)[];

export class InMemoryAdapter implements EventBusAdapter {
  readonly maxHistorySize: number;
  /** Nothing of it outlives the process. */
  readonly isForgetful: boolean;
  readonly #options: InMemoryOptions;
  readonly #recent: { readonly topic: string; readonly body: Uint8Array }[] = [];
  #beneath: EventBusAdapter | undefined;
  #opening: Promise<void> | undefined;
  #store: EventStore | undefined;

  constructor(options: InMemoryOptions = {}) {
    refuseUnknownOptions(options, OPTION_NAMES, 'InMemoryAdapter');
    const { maxHistorySize = HISTORY_MAX, persistToDisk = false, runtime } = options;
    if (typeof persistToDisk !== 'boolean') throw new TypeError('persistToDisk is true or false.');
    if (!(maxHistorySize >= 0)) throw new TypeError(`maxHistorySize is a number from 0 on, not ${maxHistorySize}.`);
    this.#options = options;
    this.maxHistorySize = maxHistorySize;
    this.isForgetful = !persistToDisk;
    if (!persistToDisk) this.#beneath = new MemoryAdapter({ maxHistorySize, ...(runtime ? { runtime } : {}) });
  }

  get name(): string {
    return this.isForgetful ? 'memory' : 'journal';
  }

  get supports(): Supports {
    return this.#opened().supports;
  }

  get store(): EventStore {
    return this.#store ?? this.#opened().store;
  }

  get state(): StateStore {
    return this.#opened().state;
  }

  /** Opens it before a bus does, to hear of a folder that cannot be written at once. */
  async initialize(): Promise<void> {
    await this.open();
  }

  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    // What opens is closed when it is open, and what is not need not be.
    await opening?.catch(() => {});
    await this.#beneath?.close();
    if (!this.isForgetful) this.#beneath = this.#store = undefined;
  }

  health(): AdapterHealth {
    return this.#opened().health();
  }

  watch(onHint: () => void): () => void {
    return this.#opened().watch(onHint);
  }

  /** The newest events, oldest first; only those whose topic matches the pattern `topic`, if given. */
  getHistory(topic?: string): readonly Event[] {
    if (this.#beneath instanceof MemoryAdapter) return this.#beneath.getHistory(topic);
    const pattern = topic === undefined ? undefined : parsePattern(topic, DEFAULT_LIMITS);
    const wanted = pattern ? this.#recent.filter((kept) => matchesPattern(pattern, kept.topic)) : this.#recent;
    return wanted.map(({ body }) => decodeEvent(body));
  }

  /** Empties the history, between two tests for example. What is owed stays owed. */
  clearHistory(): void {
    if (this.#beneath instanceof MemoryAdapter) this.#beneath.clearHistory();
    this.#recent.length = 0;
  }

  async #open(): Promise<void> {
    const { dataDir, runtime } = this.#options;
    let isBeneathOpen = false;
    try {
      this.#beneath ??= await loadJournal({ dataDir, runtime });
      await this.#beneath.open();
      isBeneathOpen = !this.isForgetful;
      if (!this.isForgetful) await this.#follow(this.#beneath.store);
    } catch (error) {
      if (isBeneathOpen) await this.#beneath?.close().catch(() => {});
      // Another try may find the folder free.
      this.#opening = undefined;
      if (!this.isForgetful) this.#beneath = undefined;
      throw error;
    }
  }

  async #follow(store: EventStore): Promise<void> {
    this.#recent.length = 0;
    if (this.maxHistorySize > 0) {
      const limit = Math.min(this.maxHistorySize, Number.MAX_SAFE_INTEGER);
      const { records } = await store.find({}, { limit, direction: 'backward', budgetMs: FIND_BUDGET_MS });
      this.#recent.push(...records.toReversed());
    }
    this.#store = watched(store, (event) => this.#remember(event));
  }

  #remember({ topic, body }: Appendable): void {
    this.#recent.push({ topic, body });
    if (this.#recent.length > this.maxHistorySize) this.#recent.shift();
  }

  #opened(): EventBusAdapter {
    if (this.#beneath) return this.#beneath;
    throw new EventManagerError('closed', 'The adapter is not open; call initialize() or use it in a bus.');
  }
}

/** The same store, which tells of each event that it took. */
function watched(store: EventStore, onStored: (event: Appendable) => void): EventStore {
  return {
    append: async (events): Promise<readonly Appended[]> => {
      const results = await store.append(events);
      for (const [at, { status }] of results.entries()) if (status === 'stored') onStored(events[at]!);
      return results;
    },
    read: (...given) => store.read(...given),
    get: (...given) => store.get(...given),
    find: (...given) => store.find(...given),
    bounds: () => store.bounds(),
    trim: (...given) => store.trim(...given),
  };
}
