import { Buffer } from 'node:buffer';
import { type Appendable, type Appended, type Position, sameContent } from '@event-manager/core';

/** What `append_events` answers: see `schema/0002-append.ts`. */
export interface BatchRow {
  readonly previous: number;
  /** Of the log: see `log-branch.ts`. */
  readonly branch: number;
  readonly recorded_ms: number;
  /** Ordinals from 1 of the ids that were there, and about each what is kept. */
  readonly known: readonly number[];
  readonly known_positions: readonly (number | string)[];
  readonly known_recorded_ms: readonly (number | string)[];
  readonly known_same: readonly boolean[];
}

/** What became of an id of the batch. */
type Fate =
  | { readonly kind: 'stored'; readonly position: Position; readonly recordedAtMs: number }
  | { readonly kind: 'known'; readonly position: Position; readonly isSame: boolean };

/** A text that JSONB refuses: NUL and halves of surrogate pairs, as JSON spells them. */
const NOT_FOR_JSONB = /\\u(?:0000|[dD][89a-fA-F])/;

/** The events of one transaction: each id once, whoever comes again is compared with the first. */
export class AppendBatch {
  readonly distinct: Appendable[] = [];
  /** Positions of kept events whose bodies must be looked at to tell a duplicate from a conflict. */
  readonly unsure: Position[] = [];
  readonly #events: readonly Appendable[];
  readonly #nowMs: number;
  /** Ids whose first event was judged. */
  readonly #seen = new Set<string>();
  /** By id, where it is among the distinct ones. */
  readonly #at = new Map<string, number>();

  constructor(events: readonly Appendable[], nowMs: number) {
    this.#events = events;
    this.#nowMs = nowMs;
    for (const event of events) {
      if (this.#at.has(event.id)) continue;
      this.#at.set(event.id, this.distinct.length);
      this.distinct.push(event);
    }
  }

  /** The parameters of `append_events` in order, but for the last. */
  values(columns: 'with jsonb' | 'without jsonb'): unknown[] {
    const all = this.distinct;
    const bodies = Buffer.concat(all.map(({ body }) => body));
    let end = 0;
    const starts = all.map(({ body }) => (end += body.length) - body.length);
    return [
      all.map(({ id }) => id),
      all.map(({ topic }) => topic),
      all.map(({ lane }) => lane),
      all.map(({ flags }) => flags),
      all.map(({ type }) => type),
      all.map(({ source }) => source),
      all.map(({ correlationId }) => correlationId ?? null),
      all.map(({ userId }) => userId ?? null),
      all.map(({ projectId }) => projectId ?? null),
      all.map(({ timestampMs }) => Math.floor(timestampMs)),
      starts,
      all.map(({ body }) => body.length),
      all.map(({ body }) => columns === 'with jsonb' && fitsJsonb(body)),
      bodies,
      this.#nowMs,
    ];
  }

  /** One per event of the batch. Those that depend on a body in `unsure` say `conflict` until `compared` is asked. */
  results(row: BatchRow, headBeforeRetry: Position | undefined): Appended[] {
    const fates = this.#fates(row, headBeforeRetry);
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

  #fates(row: BatchRow, headBeforeRetry: Position | undefined): Fate[] {
    const fates: Fate[] = [];
    for (const [at, ordinal] of row.known.entries()) {
      const position = Number(row.known_positions[at]);
      const isSame = row.known_same[at]!;
      const isOurs = isSame && headBeforeRetry !== undefined && position > headBeforeRetry;
      fates[ordinal - 1] = isOurs
        ? { kind: 'stored', position, recordedAtMs: Number(row.known_recorded_ms[at]) }
        : { kind: 'known', position, isSame };
    }
    let position = row.previous;
    for (let at = 0; at < this.distinct.length; at++) {
      fates[at] ??= { kind: 'stored', position: ++position, recordedAtMs: row.recorded_ms };
    }
    return fates;
  }

  #judge(event: Appendable, fates: readonly Fate[], unsure: Set<Position>): Appended {
    const at = this.#at.get(event.id)!;
    const fate = fates[at]!;
    const first = this.distinct[at]!;
    const place = { partition: 0, position: fate.position };
    if (fate.kind === 'stored' && first === event && this.#firstOf(event)) {
      // Positions are dense.
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

function fitsJsonb(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.indexOf('\\u') < 0 || !NOT_FOR_JSONB.test(bytes.toString('latin1'));
}
