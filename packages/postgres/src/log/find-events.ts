import {
  compileQuery,
  type EventQuery,
  type FindOptions,
  type FindResult,
  type Place,
  type Position,
  type Recorded,
} from '@event-manager/core';
import { isCancelled } from '../connect/store-error.ts';
import { type FindStatement, findStatement } from './find-statement.ts';
import type { LogCore } from './log-core.ts';
import { measureLog } from './measure-log.ts';
import { FIRST_WINDOW, nextWindow, WINDOW_MIN } from './next-window.ts';
import { type PositionRange, positionsWithin } from './positions-within.ts';
import { type RecordRow, toRecorded } from './record-row.ts';

const ROWS_AT_ONCE_MAX = 500;

/**
 * `EventStore.find`: goes through windows of positions in the asked direction. Indexes narrow inside a window, whatever comes
 * back is matched again, and between two statements the budget is looked at. A window bounds what one statement can cost,
 * however badly the planner judges a rare value.
 */
export async function findEvents(core: LogCore, query: EventQuery, options: FindOptions): Promise<FindResult> {
  const [bounds] = await measureLog(core);
  return new Search(core, query, options, await positionsWithin(core, query, bounds!)).run();
}

class Search {
  readonly #core: LogCore;
  readonly #options: FindOptions;
  readonly #matches: (record: Recorded) => boolean;
  readonly #statement: FindStatement;
  readonly #isForward: boolean;
  /** The last position there is in the direction of the search. */
  readonly #end: Position;
  readonly #deadlineMs: number;
  readonly #records: Recorded[] = [];
  /** Everything up to here was looked at. */
  #reached: Position;
  #window = FIRST_WINDOW;

  constructor(core: LogCore, query: EventQuery, options: FindOptions, { first, head }: PositionRange) {
    this.#core = core;
    this.#options = options;
    this.#matches = compileQuery(query);
    this.#isForward = options.direction === 'forward';
    this.#statement = findStatement(core.schema, query, this.#isForward);
    this.#end = this.#isForward ? head : first;
    const after = options.after?.position;
    this.#reached = this.#isForward ? Math.max(after ?? 0, first - 1) : Math.min(after ?? head + 1, head + 1);
    this.#deadlineMs = core.runtime.clock.monotonicMs() + options.budgetMs;
  }

  async run(): Promise<FindResult> {
    let hasLooked = false;
    while (this.#isForward ? this.#reached < this.#end : this.#reached > this.#end) {
      if (this.#records.length >= this.#options.limit) return this.#result(true);
      // The first window is looked at whatever it costs, so that every answer is nearer to the end than the one before.
      if (hasLooked && this.#core.runtime.clock.monotonicMs() >= this.#deadlineMs) return this.#result(false);
      hasLooked = (await this.#lookOn()) || hasLooked;
    }
    return { records: this.#records, complete: true };
  }

  #result(complete: boolean): FindResult {
    const next: Place = { partition: 0, position: this.#reached };
    return { records: this.#records, next, complete };
  }

  /** One statement; false when it took too long and a smaller window must do. */
  async #lookOn(): Promise<boolean> {
    const [from, through] = this.#nextWindow();
    const wanted = this.#options.limit - this.#records.length;
    const limit = Math.min(ROWS_AT_ONCE_MAX, Math.max(wanted, 1));
    const { clock } = this.#core.runtime;
    const sinceMs = clock.monotonicMs();
    let rows: readonly RecordRow[];
    try {
      rows = await this.#core.connections.search<RecordRow>(this.#statement.text, [
        from,
        through,
        limit,
        ...this.#statement.values,
      ]);
    } catch (error) {
      if (!isCancelled(error) || this.#window <= WINDOW_MIN) throw error;
      this.#window = Math.max(WINDOW_MIN, this.#window >> 3);
      return false;
    }
    for (const record of rows.map(toRecorded)) if (this.#matches(record)) this.#records.push(record);
    if (rows.length === limit) {
      this.#reached = rows.at(-1)!.position;
      return true;
    }
    this.#reached = this.#isForward ? through : from;
    this.#window = nextWindow(this.#window, clock.monotonicMs() - sinceMs);
    return true;
  }

  /** Both ends are inside. */
  #nextWindow(): [Position, Position] {
    if (this.#isForward) return [this.#reached + 1, Math.min(this.#end, this.#reached + this.#window)];
    return [Math.max(this.#end, this.#reached - this.#window), this.#reached - 1];
  }
}
