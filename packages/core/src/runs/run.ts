import type { FailedAttempt } from '../dispatch/owed.ts';
import type { JsonObject } from '../json.ts';

/** What is done to a range of events, or to many dead letters, at somebody's word: it takes its time, and can be paused. */
export type RunKind = 'replay' | 'redrive' | 'discard';

/** `gone`: its subscription was removed before the part was through. */
export type RunPartState = 'open' | 'done' | 'failed' | 'cancelled' | 'gone';

/** How far it is. Each event, or letter, that was looked at counts once in one of the last three. */
export interface RunCounts {
  /** How many there are to look at, as far as that is known. */
  readonly total?: number;
  /** What was asked for has happened. */
  readonly done: number;
  /** It was tried and did not succeed. */
  readonly failed: number;
  /** It was not meant, or nothing was left to do. */
  readonly skipped: number;
  /** Retention, or damage, took them before they had their turn; absent where it took none. */
  readonly removed?: number;
}

export const NO_RUN_COUNTS: RunCounts = Object.freeze({ done: 0, failed: 0, skipped: 0 });

/** What of a run concerns one subscription: done by whoever serves that. */
export interface RunPart {
  readonly subscriptionId: string;
  readonly state: RunPartState;
  readonly counts: RunCounts;
  /** A process has few replays open at a time, and this one waits for its turn there. Not kept: said by that process alone. */
  readonly waiting?: true;
  /** Wall clock, milliseconds since 1970. */
  readonly endedAtMs?: number;
  /** Why some were skipped, and how many for each reason. */
  readonly skippedFor?: Readonly<Record<string, number>>;
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string };
  /** From where its kind goes on. */
  readonly at: JsonObject;
}

/** A delivery that a replay gave up on. */
export interface RunFailure {
  readonly subscriptionId: string;
  readonly eventId: string;
  readonly topic: string;
  readonly attempts: number;
  readonly errors: readonly FailedAttempt[];
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
}

/** One thing that somebody said about a run. */
export interface RunWord {
  readonly what: 'started' | 'paused' | 'resumed' | 'cancelled';
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** Who said it: the id of a principal. */
  readonly by: string;
}

/** What is kept of a run as a whole; how far it is stands in its parts. */
export interface RunRecord {
  readonly id: string;
  readonly kind: RunKind;
  /** What was said last. */
  readonly wanted: 'running' | 'paused' | 'cancelled';
  /** As it is understood: every default in it. */
  readonly request: JsonObject;
  readonly subscriptionIds: readonly string[];
  /** Who said what, in order: the first is the start. Of many those behind it are the latest. */
  readonly words: readonly RunWord[];
  /** Why it was asked for, in the words of whoever did. */
  readonly note?: string;
}

/** A replay, redrive or discard as it is now. */
export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
  readonly request: JsonObject;
  readonly note?: string;
  /** Of all parts together. */
  readonly counts: RunCounts;
  readonly parts: readonly RunPart[];
  readonly words: readonly RunWord[];
  /** Wall clock, milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
}

/** Which runs to list. */
export interface RunsRequest {
  readonly kind?: RunKind | undefined;
}

/** The run as its records tell it. */
export function runOf(record: RunRecord, parts: readonly RunPart[]): Run {
  const { id, kind, request, words, note } = record;
  const isOver = parts.every(({ state }) => state !== 'open');
  const endedAtMs = record.wanted === 'cancelled' ? words.at(-1)!.atMs : isOver ? lastEnd(record, parts) : undefined;
  return {
    ...{ id, kind, state: stateOf(record, parts, isOver), request },
    ...(note === undefined ? {} : { note }),
    ...{ counts: sumOf(parts), parts, words, createdAtMs: words[0]!.atMs },
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
  };
}

function stateOf({ wanted }: RunRecord, parts: readonly RunPart[], isOver: boolean): Run['state'] {
  if (wanted === 'cancelled') return 'cancelled';
  if (isOver) return parts.some(({ state }) => state === 'failed' || state === 'gone') ? 'failed' : 'done';
  return wanted;
}

function lastEnd({ words }: RunRecord, parts: readonly RunPart[]): number {
  return parts.reduce((last, { endedAtMs = 0 }) => Math.max(last, endedAtMs), words[0]!.atMs);
}

function sumOf(parts: readonly RunPart[]): RunCounts {
  const total = parts.reduce((sum, { counts }) => sum + (counts.total ?? Number.NaN), 0);
  const removed = parts.reduce((sum, { counts }) => sum + (counts.removed ?? 0), 0);
  return {
    ...(Number.isNaN(total) ? {} : { total }),
    done: parts.reduce((sum, { counts }) => sum + counts.done, 0),
    failed: parts.reduce((sum, { counts }) => sum + counts.failed, 0),
    skipped: parts.reduce((sum, { counts }) => sum + counts.skipped, 0),
    ...(removed > 0 ? { removed } : {}),
  };
}
