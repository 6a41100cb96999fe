import type { PriorityName } from '@event-manager/core';

/** What happened at the sockets of pages since the start, and how it is now. */
export interface BrowserMetrics {
  /** Open now. */
  readonly connections: number;
  readonly connectionsMax: number;
  readonly accepted: number;
  /** Turned away: full, a foreign origin, not authorized, stopping. */
  readonly refused: number;
  /** Those of them whose address had as many as `maxConnectionsPerAddress`. */
  readonly crowded: number;
  /** Cut because nothing came back to a ping. */
  readonly stale: number;
  /** Connections that went on from a cursor. */
  readonly resumed: number;
  readonly eventsSent: number;
  readonly bytesSent: number;
  /** Waiting for all pages together. */
  readonly queued: number;
  /** Events that a page did not get because too much waited for it. */
  readonly shed: Readonly<Record<PriorityName, number>>;
  /** Events that could not be made readable, each counted once for each form. */
  readonly conversionsFailed: number;
  /** The same by event type. */
  readonly conversionsFailedByType: Readonly<Record<string, number>>;
  /** Frames of pages that could not be read. */
  readonly framesRefused: number;
  /** Told to pages: places of the log that cannot be read any more. */
  readonly gaps: number;
}

/** Event types are chosen by publishers; so many are counted by name. */
const TYPES_MAX = 100;

export class BrowserCounts {
  accepted = 0;
  refused = 0;
  crowded = 0;
  stale = 0;
  resumed = 0;
  eventsSent = 0;
  bytesSent = 0;
  conversionsFailed = 0;
  framesRefused = 0;
  gaps = 0;
  readonly shed: Record<PriorityName, number> = { CRITICAL: 0, HIGH: 0, NORMAL: 0, LOW: 0 };
  readonly #failedByType = new Map<string, number>();

  conversionFailed(type: string): void {
    this.conversionsFailed++;
    const known = this.#failedByType.get(type);
    if (known !== undefined || this.#failedByType.size < TYPES_MAX) this.#failedByType.set(type, (known ?? 0) + 1);
  }

  metrics(now: Pick<BrowserMetrics, 'connections' | 'connectionsMax' | 'queued'>): BrowserMetrics {
    const { accepted, refused, crowded, stale, resumed, eventsSent, bytesSent } = this;
    const { conversionsFailed, framesRefused, gaps } = this;
    return {
      ...now,
      ...{ accepted, refused, crowded, stale, resumed, eventsSent, bytesSent, conversionsFailed, framesRefused, gaps },
      shed: { ...this.shed },
      conversionsFailedByType: Object.fromEntries(this.#failedByType),
    };
  }
}
