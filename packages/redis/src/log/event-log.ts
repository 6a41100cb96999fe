import type {
  Appendable,
  Appended,
  Bounds,
  EventQuery,
  EventStore,
  FindOptions,
  FindResult,
  LostRange,
  Partition,
  Place,
  Position,
  ReadOptions,
  ReadResult,
  Recorded,
} from '@event-manager/core';
import { closedError } from '../connect/connection.ts';
import type { AppendLoop } from './append-loop.ts';
import { findEvents } from './find-events.ts';
import { getEvents } from './get-events.ts';
import type { LogCore } from './log-core.ts';
import { measureLog } from './measure-log.ts';
import { readLog } from './read-log.ts';
import type { TrimLog } from './trim-log.ts';

export interface OpenLog {
  readonly core: LogCore;
  readonly appends: AppendLoop;
  readonly trims: TrimLog;
}

/** The event store: each method in a file of its name. */
export class EventLog implements EventStore {
  /** Set by the adapter while it is open. */
  opened: OpenLog | undefined;

  async append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    return this.#open().appends.append(events);
  }

  async read(partition: Partition, after: Position, options: ReadOptions): Promise<ReadResult> {
    const { core } = this.#open();
    assertPartition(partition);
    return readLog(core, after, options);
  }

  async get(refs: readonly (string | Place)[]): Promise<readonly (Recorded | undefined)[]> {
    return getEvents(this.#open().core, refs);
  }

  async find(query: EventQuery, options: FindOptions): Promise<FindResult> {
    return findEvents(this.#open().core, query, options);
  }

  async bounds(): Promise<readonly Bounds[]> {
    return measureLog(this.#open().core);
  }

  async trim(upTo: readonly Place[]): Promise<readonly LostRange[]> {
    const { trims } = this.#open();
    for (const { partition } of upTo) assertPartition(partition);
    return trims.trim(upTo);
  }

  #open(): OpenLog {
    if (this.opened === undefined) throw closedError();
    return this.opened;
  }
}

function assertPartition(partition: Partition): void {
  if (partition !== 0) throw new TypeError(`The Redis adapter has only partition 0, not ${partition}.`);
}
