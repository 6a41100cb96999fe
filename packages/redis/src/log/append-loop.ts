import { type Appendable, type Appended, GroupLoop } from '@event-manager/core';
import { APPEND_EVENTS } from '../lua/append-events.ts';
import { AppendBatch, readBatchAnswer } from './append-batch.ts';
import { followBranch } from './follow-branch.ts';
import { getEvents } from './get-events.ts';
import type { LogCore } from './log-core.ts';
import { PART_MAX, type Part, partsOf } from './parts-of.ts';

interface Call extends Part<Appendable> {
  readonly count: number;
  readonly resolve: (results: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends in the order of calling, in scripts of many calls, one under way at a time: with `appendfsync always` each waits for the
 * disk once, and what comes meanwhile goes with the next.
 *
 * A script whose answer was lost is tried again with the same events. What is then found as it was sent, behind the
 * head that this process knew before, is told as stored: most likely it was this very call, and if another process was
 * given the same event meanwhile, the difference is only in a word.
 */
export class AppendLoop {
  readonly #core: LogCore;
  readonly #loop: GroupLoop<Call>;
  /** Nothing at or below it was appended by a script of which this process does not know. */
  #knownHead: number;

  constructor(core: LogCore) {
    this.#core = core;
    this.#knownHead = core.branch.knownHead;
    const send = (calls: readonly Call[], withinMs: number) => this.#appendCalls(calls, withinMs);
    this.#loop = new GroupLoop(core.connection.connection, PART_MAX, send);
  }

  /** What is too much for one script goes in several, and is known by its ids if only some of them came through. */
  async append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    const results = await Promise.all([...partsOf(events)].map((part) => this.#appendPart(part)));
    return results.length === 1 ? results[0]! : results.flat();
  }

  /** Waits until every call is answered. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  #appendPart({ events, bytes }: Part<Appendable>): Promise<readonly Appended[]> {
    return new Promise((resolve, reject) => {
      this.#loop.add({ events, count: events.length, bytes, resolve, reject });
    });
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
    const { connection, runtime, announcer, branch } = this.#core;
    const batch = new AppendBatch(events);
    const values = [Math.floor(runtime.clock.wallMs()), ...batch.values()];
    const { reply, tries } = await connection.askWithin(withinMs, APPEND_EVENTS, values);
    const answer = readBatchAnswer(reply);
    if (answer.branch !== branch.number) await followBranch(this.#core);
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
}
