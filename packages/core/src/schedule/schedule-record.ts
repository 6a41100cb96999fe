/**
 * How an event that waits for its time is kept: two records in one commit.
 *
 * - `schedule-due`, key `due time/id`: in the order of the keys stands what comes next, so a million of them need not be in
 *   memory to know it. Its value is the size of the event.
 * - `schedule-event`, key `id`: the event as it will be appended, which its publisher may ask for, cancel, or repeat.
 */
import type { Appendable } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import { encodeEvent } from '../event/encode-event.ts';
import type { Event } from '../event/event.ts';
import { HAS_EXPIRY } from '../event/flags.ts';
import type { Lane } from '../event/priority.ts';
import { reviveEvent } from '../event/revive-event.ts';
import { utf8Text } from '../json/utf8-text.ts';
import type { JsonObject } from '../json.ts';

/** An event that is to be appended later. Every other event lacks the field, so that the store sees nothing of it. */
export interface ScheduledAppendable extends Appendable {
  /** Wall clock, milliseconds since 1970. */
  readonly deliverAtMs: number;
}

/** The value of `schedule-event`. Times are wall clock, milliseconds since 1970. */
export interface ScheduleRecord {
  readonly dueMs: number;
  readonly acceptedMs: number;
  readonly topic: string;
  readonly lane: Lane;
  readonly flags: number;
  readonly type: string;
  readonly source: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly userId?: string;
  readonly projectId?: string;
  readonly timestampMs: number;
  /** Some process began to publish it: only the log can tell whether it is there. Said where several share a store. */
  readonly begun?: true;
  /** The event's one JSON encoding. */
  readonly body: string;
}

/** Digits of the last moment that can be written, so that keys sort as times do. */
const DUE_DIGITS = 16;

export function isScheduled(event: Appendable): event is ScheduledAppendable {
  return (event as Partial<ScheduledAppendable>).deliverAtMs !== undefined;
}

export function dueKey(dueMs: number, id: string): string {
  return `${String(dueMs).padStart(DUE_DIGITS, '0')}/${id}`;
}

export function readDueKey(key: string): { readonly dueMs: number; readonly id: string } {
  return { dueMs: Number(key.slice(0, DUE_DIGITS)), id: key.slice(DUE_DIGITS + 1) };
}

/** Refused with `revision_conflict` when the id is scheduled already. */
export function scheduleChanges(event: ScheduledAppendable, acceptedMs: number): StateChange[] {
  const { id, topic, lane, flags, type, source, timestampMs, deliverAtMs: dueMs, body } = event;
  const { correlationId, causationId, userId, projectId } = event;
  const record: ScheduleRecord = {
    ...{ dueMs, acceptedMs, topic, lane, flags, type, source },
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
    ...(userId === undefined ? {} : { userId }),
    ...(projectId === undefined ? {} : { projectId }),
    timestampMs,
    body: utf8Text(body),
  };
  return [
    { kind: 'schedule-event', key: id, value: record as unknown as JsonObject, ifRevision: 0 },
    { kind: 'schedule-due', key: dueKey(dueMs, id), value: body.length },
  ];
}

/** The changes that forget a scheduled event. */
export function removalChanges(dueMs: number, id: string): StateChange[] {
  return [
    { kind: 'schedule-event', key: id },
    { kind: 'schedule-due', key: dueKey(dueMs, id) },
  ];
}

/** The event as it is appended, byte for byte as it was accepted. */
export function appendableOf(id: string, record: ScheduleRecord): Appendable {
  const { dueMs: _due, acceptedMs: _accepted, begun: _begun, body, ...rest } = record;
  return { id, ...rest, body: encodeEvent(body) };
}

export function eventOf({ body }: ScheduleRecord): Event {
  return reviveEvent(JSON.parse(body) as object);
}

/** True when nobody is to get it any more. */
export function isExpired(record: ScheduleRecord, wallMs: number): boolean {
  if ((record.flags & HAS_EXPIRY) === 0) return false;
  const { expiresAt } = eventOf(record).metadata;
  return expiresAt !== undefined && expiresAt.getTime() <= wallMs;
}
