import { type Appendable, type Appended, type Position, sameContent } from '@event-manager/core';
import type { Reply } from '../connect/connection.ts';
import type { ScriptValue } from '../lua/script.ts';
import { searchedOf } from './narrow-query.ts';

/** What `APPEND_EVENTS` answers: head before, branch, time of recording, and about each id that was there, by ordinal from 1. */
export interface BatchAnswer {
  readonly previous: Position;
  readonly branch: number;
  readonly recordedAtMs: number;
  readonly known: readonly (readonly [ordinal: number, position: Position, recordedAtMs: number, isSame: number])[];
}

export function readBatchAnswer(reply: Reply): BatchAnswer {
  const [previous, branch, recordedAtMs, known] = reply as unknown as [number, number, number, BatchAnswer['known']];
  return { previous, branch, recordedAtMs, known };
}

/** What became of an id of the batch. */
type Fate =
  | { readonly kind: 'stored'; readonly position: Position; readonly recordedAtMs: number }
  | { readonly kind: 'known'; readonly position: Position; readonly isSame: boolean };

/** The events of one script: each id once, whoever comes again is compared with the first. */
export class AppendBatch {
  readonly distinct: Appendable[] = [];
  /** Positions of kept events whose bodies must be looked at to tell a duplicate from a conflict. */
  readonly unsure: Position[] = [];
  readonly #events: readonly Appendable[];
  /** Ids whose first event was judged. */
  readonly #seen = new Set<string>();
  /** By id, where it is among the distinct ones. */
  readonly #at = new Map<string, number>();

  constructor(events: readonly Appendable[]) {
    this.#events = events;
    for (const event of events) {
      if (this.#at.has(event.id)) continue;
      this.#at.set(event.id, this.distinct.length);
      this.distinct.push(event);
    }
  }

  /** What `APPEND_EVENTS` is given behind the clock. */
  values(): ScriptValue[] {
    return this.distinct.flatMap((event) => {
      const { id, lane, flags, topic, body } = event;
      return [id, `${lane} ${flags}`, topic, body, ...searchedOf(event)];
    });
  }

  /** One per event of the batch. Those that depend on a body in `unsure` say `conflict` until `compared` is asked. */
  results(answer: BatchAnswer, headBeforeRetry: Position | undefined): Appended[] {
    const fates = this.#fates(answer, headBeforeRetry);
    const unsure = new Set<Position>();
    const results = this.#events.map((event) => this.#judge(event, fates, unsure));
    this.unsure.push(...unsure);
    return results;
  }

  /** Corrects conflicts that are duplicates by content. */
  compared(results: readonly Appended[], bodies: ReadonlyMap<Position, Uint8Array | undefined>): Appended[] {
    return results.map((result, at) => {
      const body = result.status === 'conflict' ? bodies.get(result.place.position) : undefined;
      if (body === undefined || !sameContent(body, this.#events[at]!.body)) return result;
      return { status: 'duplicate', place: result.place };
    });
  }

  #fates({ previous, recordedAtMs, known }: BatchAnswer, headBeforeRetry: Position | undefined): Fate[] {
    const fates: Fate[] = [];
    for (const [ordinal, position, keptSinceMs, same] of known) {
      const isSame = same === 1;
      const isOurs = isSame && headBeforeRetry !== undefined && position > headBeforeRetry;
      fates[ordinal - 1] = isOurs
        ? { kind: 'stored', position, recordedAtMs: keptSinceMs }
        : { kind: 'known', position, isSame };
    }
    let position = previous;
    for (let at = 0; at < this.distinct.length; at++) {
      fates[at] ??= { kind: 'stored', position: ++position, recordedAtMs };
    }
    return fates;
  }

  #judge(event: Appendable, fates: readonly Fate[], unsure: Set<Position>): Appended {
    const at = this.#at.get(event.id)!;
    const fate = fates[at]!;
    const first = this.distinct[at]!;
    const place = { partition: 0, position: fate.position };
    if (fate.kind === 'stored' && first === event && this.#firstOf(event)) {
      // Positions are dense but for gaps, and a gap ends at what was the head.
      return { status: 'stored', place, recordedAtMs: fate.recordedAtMs, previous: fate.position - 1 };
    }
    if (fate.kind === 'known' && !fate.isSame) {
      unsure.add(fate.position);
      return { status: 'conflict', place };
    }
    return { status: sameContent(first.body, event.body) ? 'duplicate' : 'conflict', place };
  }

  /** The same object may be handed in twice: only its first appearance is the one that was stored. */
  #firstOf(event: Appendable): boolean {
    if (this.#seen.has(event.id)) return false;
    this.#seen.add(event.id);
    return true;
  }
}
