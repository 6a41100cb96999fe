import { type Appendable, type Appended, GroupLoop } from '@event-manager/core';
import type { Answer } from '../connect/connections.ts';
import { isDataError } from '../connect/store-error.ts';
import { AppendBatch, type BatchRow } from './append-batch.ts';
import { getEvents } from './get-events.ts';
import type { LogCore } from './log-core.ts';

/** Of one transaction. */
const LIMITS = { countMax: 4_096, bytesMax: 8 << 20 };

interface Call {
  readonly events: readonly Appendable[];
  readonly count: number;
  readonly bytes: number;
  readonly resolve: (results: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends in the order of calling, in transactions of many calls.
 *
 * A transaction whose answer was lost is tried again with the same events. What is then found as it was sent, behind the
 * head that this process knew before, is told as stored: most likely it was this very call, and if another process was
 * given the same event meanwhile, the difference is only in a word.
 */
export class AppendLoop {
  readonly #core: LogCore;
  readonly #loop: GroupLoop<Call>;
  /** Nothing at or below it was appended by a transaction of which this process does not know. */
  #knownHead: number;

  constructor(core: LogCore) {
    this.#core = core;
    this.#knownHead = core.branch.knownHead;
    this.#loop = new GroupLoop(core.connections, LIMITS, (calls, withinMs) => this.#appendCalls(calls, withinMs));
  }

  append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    if (events.length === 0) return Promise.resolve([]);
    const bytes = events.reduce((sum, { body }) => sum + body.length, 0);
    return new Promise((resolve, reject) => {
      this.#loop.add({ events: [...events], count: events.length, bytes, resolve, reject });
    });
  }

  /** Waits until every call is answered. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  async #appendCalls(calls: readonly Call[], withinMs: number): Promise<void> {
    const results = await this.#appendBatch(
      calls.flatMap(({ events }) => events),
      withinMs,
    );
    let from = 0;
    for (const { events, resolve } of calls) resolve(results.slice(from, (from += events.length)));
  }

  async #appendBatch(events: readonly Appendable[], withinMs: number): Promise<readonly Appended[]> {
    const { runtime, announcer, branch } = this.#core;
    const batch = new AppendBatch(events, Math.floor(runtime.clock.wallMs()));
    const { rows, tries } = await this.#send(batch, withinMs);
    const answer = rows[0]!;
    if (answer.branch !== branch.number) await branch.follow();
    const results = batch.results(answer, tries > 1 ? this.#knownHead : undefined);
    const stored = batch.distinct.length - answer.known.length;
    this.#knownHead = Math.max(this.#knownHead, answer.previous + stored);
    branch.saw(answer.previous + stored);
    if (stored > 0 || tries > 1) announcer.announce();
    if (batch.unsure.length === 0) return results;
    const places = batch.unsure.map((position) => ({ partition: 0, position }));
    const found = await getEvents(this.#core, places);
    const bodies = new Map(batch.unsure.map((position, at) => [position, found[at]?.body]));
    return batch.compared(results, bodies);
  }

  /** JSON that JSONB turns out not to hold costs its columns, not the event. */
  async #send(batch: AppendBatch, withinMs: number): Promise<Answer<BatchRow>> {
    const { connections, schema, branch } = this.#core;
    const parameters = Array.from({ length: 16 }, (_, at) => `$${at + 1}`).join(', ');
    const text = `SELECT * FROM ${schema}.append_events(${parameters})`;
    try {
      return await connections.askCounted<BatchRow>(text, [...batch.values('with jsonb'), branch.knownHead], withinMs);
    } catch (error) {
      if (!isDataError(error)) throw error;
      return await connections.askCounted<BatchRow>(
        text,
        [...batch.values('without jsonb'), branch.knownHead],
        withinMs,
      );
    }
  }
}
