import { type DeadLetter, decodeCursor, type Recorded, type SubscriptionReset } from '@event-manager/core';
import type { HistoryEntry } from '@event-manager/testing';
import type { AuditedReset } from '../kept-resets.ts';

/** Where somebody wants a subscription to go on, and what has to be true of the place. */
export interface Target {
  readonly kind: 'earliest' | 'latest' | 'time' | 'cursor';
  readonly to: string | Date;
  /** Of a cursor: its own. Of a time: that of an event of this time. Of the end: the last one that was stored for sure. */
  readonly position: number;
}

/** A reset that somebody asked for. */
export interface AskedReset {
  /** By which what is kept of it is known again. */
  readonly note: string;
  readonly target: Target;
  readonly done?: SubscriptionReset | undefined;
  /** Events that were handed in before it was answered. */
  readonly invokedBefore: ReadonlySet<string>;
}

/** What somebody heard of is kept, once and as he heard of it; and nothing is kept that nobody asked for. */
export function faultsOfAudit(kept: readonly AuditedReset[], asked: readonly AskedReset[]): string[] {
  const wrong: string[] = [];
  for (const { note, done } of asked) {
    const found = kept.filter((each) => each.note === note);
    if (found.length > 1) wrong.push(`C2 the reset ${note} happened ${found.length} times`);
    if (!done) continue;
    const to = decodeCursor(done.to)[0]!.position;
    if (found[0]?.to !== to) wrong.push(`C1 the reset ${note} to ${to} was answered, and ${found[0]?.to} is kept`);
  }
  for (const { note } of kept) {
    if (!asked.some((each) => each.note === note)) wrong.push(`C3 nobody asked for the reset ${note}`);
  }
  return wrong;
}

/** Each event of the log lies on the side of the place where it has to be; `log` is the whole of it. */
export function faultsOfPlace(
  kept: readonly AuditedReset[],
  asked: readonly AskedReset[],
  log: readonly Recorded[],
): string[] {
  return kept.flatMap(({ note, to }) => {
    const request = asked.find((each) => each.note === note);
    if (!request) return [];
    const isBefore = sideOf(request, log);
    const wrong = log.find((record) => {
      const side = isBefore(record);
      return side !== undefined && side !== record.place.position <= to;
    });
    if (!wrong) return [];
    const words = `${request.target.kind} ${request.target.position}`;
    return [`C2 the reset ${note} to ${words} went to ${to}: ${wrong.place.position} is on the wrong side`];
  });
}

/** Whether an event has to lie before the place; `undefined` where either will do. */
function sideOf(
  { target, done, invokedBefore }: AskedReset,
  log: readonly Recorded[],
): (record: Recorded) => boolean | undefined {
  const { kind, position } = target;
  const since = log.find((record) => record.place.position === position)?.recordedAtMs ?? Number.NEGATIVE_INFINITY;
  switch (kind) {
    case 'earliest':
      return () => false;
    case 'cursor':
      return ({ place }) => place.position <= position;
    case 'time':
      return ({ recordedAtMs }) => recordedAtMs < since;
    case 'latest':
      return ({ id, place }) => {
        if (place.position <= position) return true;
        return done && isPublished(id) && !invokedBefore.has(id) ? false : undefined;
      };
  }
}

/** Of what the bus itself says nobody knows when that was handed in. */
function isPublished(id: string): boolean {
  return id[14] === '4';
}

/** Letters that were seen before a reset and are others since. */
export function overwritten(before: ReadonlyMap<string, DeadLetter>, now: ReadonlyMap<string, DeadLetter>): string[] {
  return [...before].flatMap(([key, letter]) => {
    const kept = now.get(key);
    return kept && factsOf(kept) === factsOf(letter) ? [] : [`C2 the dead letter ${key} was overwritten`];
  });
}

/** All but who closed it. */
function factsOf({ state: _state, closed: _closed, ...facts }: DeadLetter): string {
  return JSON.stringify(facts);
}

/** The ids of the events that clients handed in so far. */
export function invokedIn(history: readonly HistoryEntry[]): ReadonlySet<string> {
  return new Set(history.flatMap((entry) => (entry.kind === 'invoke' ? [entry.id] : [])));
}
