import type { Appendable, Appended } from '../../contracts/event-store.ts';
import type { JsonValue } from '../../json.ts';

/**
 * Where a bus keeps its events beside its log, when it is told to by `setEventStore`: for replay, snapshots and audits. The log
 * decides what is delivered; a store only keeps. Stores open themselves when they are used first.
 */
export interface BusEventStore {
  /** Word for errors and statistics: `memory`, `leveldb`, … */
  readonly name: string;
  /** Why it takes no more events until it is opened anew; the bus is not healthy then. */
  readonly failure?: Error | undefined;
  /** Opens it now, to hear of what keeps it from that. Throws `store_locked`, `store_failed`, `unsupported_format`. */
  open(): Promise<void>;
  /**
   * Resolves when all of them are as durable as the store promises, in the order of calling. Idempotent by event id: a known id
   * with the same content is `duplicate`, with another one `conflict`, and neither changes anything.
   */
  append(events: readonly Appendable[]): Promise<readonly StoreOutcome[]>;
  /** In the order of appending. */
  read(request: StoreRead): Promise<StorePage>;
  /** The latest snapshot of this name. */
  loadSnapshot(name: string): Promise<KeptSnapshot | undefined>;
  /** In place of the one before; without a snapshot there is none any more. Durable as events are. */
  saveSnapshot(name: string, snapshot: KeptSnapshot | undefined): Promise<void>;
  /** What was acknowledged is kept. Called again, it does nothing. */
  close(): Promise<void>;
}

export type StoreOutcome = Appended['status'];

/** Which events to read. Everything that is said has to hold. */
export interface StoreRead {
  /** Only behind this position; 0 when absent. */
  readonly after?: number | undefined;
  /** Kept at or after, milliseconds since 1970. */
  readonly fromMs?: number | undefined;
  /** Kept before, milliseconds since 1970. */
  readonly toMs?: number | undefined;
  /** Topic pattern. */
  readonly topic?: string | undefined;
  /** Patterns over the type. */
  readonly types?: readonly string[] | undefined;
  readonly limit: number;
}

/** An event as a store has it. */
export interface KeptRecord {
  /** An integer from 1 on, ascending in the order of appending. */
  readonly position: number;
  /** When the store took it, milliseconds since 1970; never smaller than that of an earlier position. */
  readonly recordedAtMs: number;
  readonly id: string;
  /** UTF-8 JSON. */
  readonly body: Uint8Array;
}

export interface StorePage {
  readonly records: readonly KeptRecord[];
  /** Where to go on; absent when nothing more can match now. */
  readonly next?: number | undefined;
  /** The oldest position that is still there, or what will be the first one: what stood between `after` and it is gone. */
  readonly first: number;
  /** How many positions behind `after` are not there any more, where the store knows it better than by `first`. */
  readonly missing?: number | undefined;
  /** The last position that was there. A replay ends at that of its first page, and not at what its own handlers publish. */
  readonly head?: number | undefined;
}

/** A state that events were folded into. */
export interface KeptSnapshot {
  readonly state: JsonValue;
  /** Of what folded it: another one makes the snapshot useless. */
  readonly version: number;
  /** Everything up to this position is folded in. */
  readonly position: number;
  /** When the last event of it was kept, milliseconds since 1970. */
  readonly recordedAtMs: number;
}
