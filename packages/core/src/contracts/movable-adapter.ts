import type { EventBusAdapter } from './adapter.ts';
import type { Appendable, Position } from './event-store.ts';

/** An event with what another store gave it. */
export interface Restored extends Appendable {
  readonly position: Position;
  readonly recordedAtMs: number;
}

/** Which positions of partition 0 a store answers for. */
export interface Extent {
  /** Everything below was removed by retention. */
  readonly first: Position;
  /** The next event gets a position behind it. */
  readonly head: Position;
}

/** Positions that no event was ever given, both ends inside. */
export interface UnusedPositions {
  readonly from: Position;
  readonly through: Position;
}

/** A store that is being filled with what another one kept: its events by `write`, its records by `state.commit`. */
export interface Restoration {
  /**
   * Resolves when the events are durable. They come in the order of positions, over all calls. A position that is passed over
   * and that `skip` does not name was lost before and stays so: readers are told of it as damaged. Throws what `EventStore.append` throws.
   */
  write(events: readonly Restored[]): Promise<void>;
  /** In the same order as the events: readers pass over these positions and are told of no loss. What lies before them was lost. */
  skip(unused: UnusedPositions): Promise<void>;
  /** Durable: from now on the store opens like any other. Called once, last. */
  complete(): Promise<void>;
}

/** A store that nobody changes until the adapter is closed. */
export interface Departure {
  /** Durable: `open` refuses with `store_moved` from now on, for everybody, until somebody calls `stay`. */
  complete(): Promise<void>;
}

/**
 * An adapter whose store can go to another place and come from one. The methods are called instead of `open`; `store` and
 * `state` can then be read, and `close` ends it. All of them throw what `open` throws.
 *
 *   in use ──openToLeave──▶ (being read) ──complete──▶ moved ──stay──▶ in use        close before complete: in use
 *   empty ──openToRestore──▶ incomplete ──complete──▶ in use                         close, crash: incomplete
 *
 * An incomplete store refuses `open` with `store_incomplete`; `openToRestore` throws away what it holds and begins anew.
 */
export interface MovableAdapter extends EventBusAdapter {
  /** Whoever has the store open besides waits or is refused from now on. Throws `store_not_found` where there is no store. */
  openToLeave(): Promise<Departure>;
  /** Throws `store_not_empty` where events or records are kept, also when they have moved on from there. */
  openToRestore(extent: Extent): Promise<Restoration>;
  /** Takes back that the store has moved. Does nothing to one that has not. */
  stay(): Promise<void>;
}
