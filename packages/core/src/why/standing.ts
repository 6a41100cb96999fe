import type { Position } from '../contracts/event-store.ts';
import type { FailedAttempt } from '../dispatch/owed.ts';

/** What a queue knows of one event. Times are wall clock, milliseconds since 1970. */
export type Standing =
  /** Nothing is owed any more, or it never was. */
  | { readonly at: 'settled' }
  | {
      readonly at: 'under-way';
      readonly attempt: number;
      /** Absent while its number is being made durable. */
      readonly sinceMs?: number;
      readonly errors: readonly FailedAttempt[];
    }
  | {
      readonly at: 'owed';
      readonly attempt: number;
      readonly failures: number;
      readonly round: number;
      readonly dueAtMs: number;
      /** A process ended while it may have been under way. */
      readonly isSuspect: boolean;
      readonly errors: readonly FailedAttempt[];
    }
  | {
      readonly at: 'key';
      readonly key: string;
      readonly parked?: { readonly atMs: number; readonly deadLetterId?: string };
      /** The event of the key that goes before all others, where that is known. */
      readonly head?: Position;
      /** Others of the key in front of it, as far as they are in memory. */
      readonly before: number;
    }
  /** `before`: so many in front of it in its lane; absent where it is still to be read from the log. */
  | { readonly at: 'waiting'; readonly before?: number };
