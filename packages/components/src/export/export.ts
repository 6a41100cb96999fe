import type { Runtime } from '@event-manager/core';
import type { EventsReport } from '../component-events.ts';
import type { EventCounter } from '../system/event-counter.ts';
import type { ExportedEvent } from './exported-event.ts';

export interface ExportStatus {
  /** Where it leads, without what is secret of it. */
  readonly to: string;
  readonly exported: number;
  readonly failed: number;
  readonly failing: boolean;
}

/** One place where events go. Nothing here throws, rejects or waits for what is outside. */
export interface Export {
  write(event: ExportedEvent): void;
  /** Resolves when everything written so far is there, or was given up. */
  flush(): Promise<void>;
  /** Gives up what waits; answers how many events it was. */
  abandon(): number;
  close(): Promise<void>;
  status(): ExportStatus;
}

/** What exports take from the system they belong to. */
export interface ExportParts {
  readonly runtime: Runtime;
  readonly counter: EventCounter;
  readonly report: (report: EventsReport) => void;
}
