import {
  type Appendable,
  type Appended,
  type Bounds,
  EventManagerError,
  type EventQuery,
  type EventStore,
  type FindOptions,
  type FindResult,
  type LostRange,
  type Partition,
  type Place,
  type Position,
  type ReadOptions,
  type ReadResult,
  type Recorded,
} from '@event-manager/core';
import { errorCode } from '../files/error-code.ts';
import { withoutPath } from '../without-path.ts';
import type { Witness } from '../witness.ts';
import type { AppendLog } from './append-log.ts';
import { findEvents } from './find-events.ts';
import { getEvents } from './get-events.ts';
import type { KnownIds } from './known-ids.ts';
import type { LogCore } from './log-core.ts';
import { measureLog } from './measure-log.ts';
import { readLog } from './read-log.ts';
import { trimLog } from './trim-log.ts';

/** What an open log consists of. */
export interface OpenLog {
  readonly core: LogCore;
  readonly appending: AppendLog;
  readonly known: KnownIds;
  readonly witness: Witness;
}

/** The event store of the journal: refuses while it is closed and hands each method to the file of its name. */
export class EventLog implements EventStore {
  /** Set by the adapter while it is open. */
  opened: OpenLog | undefined;

  async append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    return this.#open().appending.append(events);
  }

  async read(partition: Partition, after: Position, options: ReadOptions): Promise<ReadResult> {
    assertPartition(partition);
    return this.#besideTrims(({ core }) => readLog(core, after, options));
  }

  async get(refs: readonly (string | Place)[]): Promise<readonly (Recorded | undefined)[]> {
    return this.#besideTrims(({ core, known }) => getEvents(core, known, refs));
  }

  async find(query: EventQuery, options: FindOptions): Promise<FindResult> {
    return this.#besideTrims(({ core }) => findEvents(core, query, options));
  }

  async bounds(): Promise<readonly Bounds[]> {
    return this.#besideTrims(async ({ core }) => {
      const { head, trimmedThrough } = core;
      return [{ partition: 0, first: trimmedThrough + 1, head, ...(await measureLog(core)) }];
    });
  }

  async trim(upTo: readonly Place[]): Promise<readonly LostRange[]> {
    for (const { partition } of upTo) assertPartition(partition);
    try {
      return await trimLog(this.#open(), Math.max(0, ...upTo.map(({ position }) => position)));
    } catch (error) {
      throw withoutPath('Removing trimmed events', error);
    }
  }

  /** A reader that holds a segment while retention removes its file starts again; the segment is not listed any more. */
  async #besideTrims<T>(work: (log: OpenLog) => Promise<T>): Promise<T> {
    for (;;) {
      const log = this.#open();
      const { trimmedThrough } = log.core;
      try {
        return await work(log);
      } catch (error) {
        if (errorCode(error) === 'ENOENT' && log.core.trimmedThrough !== trimmedThrough) continue;
        throw withoutPath('Reading events', error);
      }
    }
  }

  #open(): OpenLog {
    if (this.opened === undefined) throw new EventManagerError('closed', 'The journal is not open.');
    return this.opened;
  }
}

function assertPartition(partition: Partition): void {
  if (partition !== 0) throw new TypeError(`The journal has only partition 0, not ${partition}.`);
}
