import type { EventHandler } from '../../sink/handler-sink.ts';
import type { Run } from '../run.ts';
import type { ReplayPreview } from './replay-room.ts';

/** A time (`Date`, RFC 3339 text, milliseconds since 1970), a cursor, or an end of the log. */
export type LogPlaceIn =
  | Date
  | number
  | string
  | { readonly cursor: string }
  | { readonly time: Date | number | string };

/** What `replay` takes, in camelCase or snake_case. */
export interface ReplayRequestIn {
  /** Where the range begins: a time, a cursor, `earliest`, `latest`. Default: the oldest event that is kept. */
  readonly from?: LogPlaceIn | undefined;
  /** Where it ends; a time is not part of it. Default, and at most: the newest event when it is asked for. */
  readonly to?: LogPlaceIn | undefined;
  /** Topic pattern. */
  readonly topic?: string | undefined;
  /** Patterns over the event type. */
  readonly types?: string | readonly string[] | undefined;
  readonly sources?: string | readonly string[] | undefined;
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Ids or names of subscriptions, or of the services that own them. Default: every one that matches. */
  readonly subscriptions?: string | readonly string[] | undefined;
  /** Everything that is kept, to everybody; needed where neither `from`, nor subscriptions, nor another field says which events are meant. */
  readonly all?: boolean | undefined;
  /** As recorded, or some times as fast, so many events a second for each subscription, or (default) as fast as live deliveries leave room for. */
  readonly speed?: 'original' | 'max' | number | { readonly factor: number } | undefined;
  /** Another way out than that of the subscriptions. */
  readonly target?: string | { readonly endpoint: string } | { readonly handler: EventHandler } | undefined;
  /** Why, in words that are kept. */
  readonly note?: string | undefined;
  /** Only says what it would do. */
  readonly dryRun?: boolean | undefined;
  /** Further spellings: `from_timestamp`, `to_timestamp`, `topic_pattern`, `subscriber_ids`, … */
  readonly [spelling: string]: unknown;
}

export type ReplayAnswer<Request> = Request extends { readonly dryRun: true } | { readonly dry_run: true }
  ? ReplayPreview
  : Run;
