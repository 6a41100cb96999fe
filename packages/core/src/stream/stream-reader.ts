import type { Event } from '../event/event.ts';
import type { GapCause } from './event-stream.ts';

/** An event that a stream came to. A stream from `cursor` continues behind it. */
export interface StreamedEvent {
  readonly kind: 'event';
  readonly event: Event;
  readonly cursor: string;
}

/** Events between two cursors are not there any more, and why. */
export interface StreamedGap {
  readonly kind: 'gap';
  readonly cause: GapCause;
  readonly cursor: string;
}

/** A read of the log from a cursor, as its reader holds it; the same embedded and over the network. */
export interface StreamReader extends AsyncIterable<StreamedEvent | StreamedGap> {
  /** Where a new stream would continue: behind everything this one has looked at. */
  readonly cursor: string;
  /** The next frames, at least one; waits while there is nothing. Empty once the stream is closed. One call at a time. */
  next(): Promise<readonly (StreamedEvent | StreamedGap)[]>;
  close(): void;
}
