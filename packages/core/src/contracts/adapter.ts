import type { RetentionOptions } from '../retention/retention-policy.ts';
import type { EventStore, LostRange } from './event-store.ts';
import type { Exchange } from './exchange.ts';
import type { StateStore } from './state-store.ts';

/** What an adapter can do: public, frozen data. The conformance suites read their skips from it and from nowhere else. */
export interface Supports {
  /** All events of the log have one order (one partition). */
  readonly totalOrder: boolean;
  /** `window`: an id is remembered as long as the adapter documents. */
  readonly dedup: 'window' | 'none';
  readonly query: 'index' | 'scan' | 'none';
  /** Several processes may open it at once. */
  readonly shared: boolean;
  readonly trim: boolean;
  readonly durability: Durability;
}

/** `synced`: on stable storage of this machine; `replicated`: in memory of several machines; `relaxed`: soon on disk. */
export type Durability = 'none' | 'relaxed' | 'synced' | 'replicated';

export interface AdapterHealth {
  /**
   * `read-only`: damage was found, reads are served. `failed`: fail-stop, recover by restart. `full`: no space, retrying.
   * `unavailable`: what answers for the store is away or takes nothing, retrying; `slow`: it answers, but late.
   */
  readonly status: 'ok' | 'slow' | 'full' | 'unavailable' | 'read-only' | 'failed';
  /** For people; no paths or secrets. */
  readonly reason?: string;
  readonly facts: Readonly<Record<string, number | string | boolean>>;
  /** Positions that the adapter knows to be lost, whether or not anybody has asked for them since it was opened. */
  readonly lost?: readonly LostRange[];
  /** Calls of a server that failed since it was opened, by code, those that succeeded when tried again among them. */
  readonly errors?: Readonly<Record<string, number>>;
  /** Something that the store can do without is away. */
  readonly impairment?: Impairment;
  /** What whoever runs it should know, although it works; no paths or secrets. */
  readonly warnings?: readonly string[];
}

/** What is away: everything goes on without it, only slower. */
export interface Impairment {
  /** One word, for example `redis`. */
  readonly what: string;
  /** For people; no paths or secrets. */
  readonly reason: string;
  /** An ISO 8601 date. */
  readonly since: string;
}

/** Tells the other processes that something changed, in place of the adapter's own hints. */
export interface Announcer {
  /** Asked before each change: while it is true the adapter need not tell anybody itself. */
  isHeardByAll(): boolean;
  /** Called after each change that the adapter did not tell of, once it is durable. Does not wait and does not throw. */
  announce(): void;
}

/** Where things are kept and shared between processes. */
export interface EventBusAdapter {
  /** Word for messages and metrics: `memory`, `journal`, … */
  readonly name: string;
  readonly supports: Supports;
  readonly store: EventStore;
  readonly state: StateStore;
  /** Present where `supports.shared` and the adapter can carry letters: then receivers may sit at any of the processes. */
  readonly exchange?: Exchange;
  /** How much of the log whoever made the adapter wants to be kept, where an event manager is told nothing else. */
  readonly retention?: RetentionOptions;
  /** Recovers and takes what it needs. Called once. Throws `store_locked`, `unsupported_format`, `store_failed`. */
  open(): Promise<void>;
  /** Finishes what is under way and releases everything. Called once. */
  close(): Promise<void>;
  health(): AdapterHealth;
  /** Calls `onHint` when the log or the state may have grown by somebody else. Hints may be lost; a slow poll is the net. */
  watch(onHint: () => void): () => void;
  /**
   * Tells this store from every other one, and is the same for all processes that share it: what they use besides is named by it.
   * Known while the adapter is open. A store that was moved somewhere else has another one there. Present where `supports.shared`.
   */
  storeId?(): string;
  /** Leaves telling the others to somebody else. Present where telling costs something; called at most once, before `open`. */
  announceBy?(announcer: Announcer): void;
}
