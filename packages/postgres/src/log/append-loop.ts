import type { Appendable, Appended } from '@event-manager/core';
import { isDataError } from '../connect/store-error.ts';
import { AppendBatch, type BatchRow } from './append-batch.ts';
import { getEvents } from './get-events.ts';
import type { LogCore } from './log-core.ts';

/** One transaction takes no more than this, unless a single call brings more. */
const BATCH_EVENTS_MAX = 4_096;
const BATCH_BYTES_MAX = 8 << 20;

interface Call {
  readonly events: readonly Appendable[];
  readonly resolve: (results: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends in the order of calling, one transaction after another: what comes while one is under way forms the next.
 *
 * A transaction whose answer was lost is tried again with the same events. What is then found as it was sent, behind the
 * head that this process knew before, is told as stored: most likely it was this very call, and if another process was
 * given the same event meanwhile, the difference is only in a word.
 */
export class AppendLoop {
  readonly #core: LogCore;
  readonly #waiting: Call[] = [];
  #running: Promise<void> | undefined;
  /** Nothing at or below it was appended by a transaction of which this process does not know. */
  #knownHead: number;

  constructor(core: LogCore, head: number) {
    this.#core = core;
    this.#knownHead = head;
  }

  append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events: [...events], resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Waits until every call is answered. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Calls of the same turn come into the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const calls = this.#takeBatch();
      try {
        const results = await this.#appendBatch(calls.flatMap(({ events }) => events));
        let from = 0;
        for (const { events, resolve } of calls) resolve(results.slice(from, (from += events.length)));
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    this.#running = undefined;
  }

  #takeBatch(): Call[] {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const call of this.#waiting) {
      events += call.events.length;
      for (const { body } of call.events) bytes += body.length;
      if (count > 0 && (events > BATCH_EVENTS_MAX || bytes > BATCH_BYTES_MAX)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #appendBatch(events: readonly Appendable[]): Promise<readonly Appended[]> {
    const { runtime, self, announcer } = this.#core;
    const isLeftToOthers = announcer?.isHeardByAll() === true;
    const batch = new AppendBatch(events, Math.floor(runtime.clock.wallMs()), isLeftToOthers ? null : self);
    const { rows, tries } = await this.#send(batch);
    const answer = rows[0]!;
    const results = batch.results(answer, tries > 1 ? this.#knownHead : undefined);
    const stored = batch.distinct.length - answer.known.length;
    this.#knownHead = Math.max(this.#knownHead, answer.previous + stored);
    if (isLeftToOthers && (stored > 0 || tries > 1)) announcer.announce();
    if (batch.unsure.length === 0) return results;
    const places = batch.unsure.map((position) => ({ partition: 0, position }));
    const found = await getEvents(this.#core, places);
    const bodies = new Map(batch.unsure.map((position, at) => [position, found[at]?.body]));
    return batch.compared(results, bodies);
  }

  /** JSON that JSONB turns out not to hold costs its columns, not the event. */
  async #send(batch: AppendBatch): Promise<{ rows: readonly BatchRow[]; tries: number }> {
    const { connections, schema } = this.#core;
    const parameters = Array.from({ length: 16 }, (_, at) => `$${at + 1}`).join(', ');
    const text = `SELECT * FROM ${schema}.append_events(${parameters})`;
    try {
      return await connections.askCounted<BatchRow>(text, batch.values('with jsonb'));
    } catch (error) {
      if (!isDataError(error)) throw error;
      return await connections.askCounted<BatchRow>(text, batch.values('without jsonb'));
    }
  }
}
