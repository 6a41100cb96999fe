import type { Event } from '../event/event.ts';
import type { PriorityName } from '../event/priority.ts';
import { priorityName } from '../event/priority.ts';
import type { ScheduleRecord } from './schedule-record.ts';
import { eventOf } from './schedule-record.ts';

/** An event that waits for its time, as its publisher sees it. Times are RFC 3339. */
export interface ScheduledEvent {
  readonly id: string;
  /** When it is appended to the log and from then on owed to subscriptions. */
  readonly scheduledFor: string;
  readonly acceptedAt: string;
  readonly type: string;
  readonly source: string;
  /** Canonical. */
  readonly topic: string;
  readonly priority: PriorityName;
}

/** The same with the event as it will be stored. */
export interface ScheduledEventWithContent extends ScheduledEvent {
  readonly event: Event;
}

export function describeScheduled(id: string, record: ScheduleRecord): ScheduledEvent {
  const { dueMs, acceptedMs, type, source, topic, lane } = record;
  return {
    id,
    scheduledFor: new Date(dueMs).toISOString(),
    acceptedAt: new Date(acceptedMs).toISOString(),
    ...{ type, source, topic },
    priority: priorityName(lane),
  };
}

export function describeWithContent(id: string, record: ScheduleRecord): ScheduledEventWithContent {
  return { ...describeScheduled(id, record), event: eventOf(record) };
}
