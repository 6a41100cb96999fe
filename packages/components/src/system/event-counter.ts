import { isEventManagerError, type Runtime } from '@event-manager/core';
import type { EventsReport } from '../component-events.ts';
import type { ExportStatus } from '../export/export.ts';

export interface EventCounts {
  readonly accepted: number;
  readonly published: number;
  readonly exported: number;
  /** Before they were accepted: by `max_events_per_second`, or because `buffer_size` events waited. */
  readonly refused: { readonly rate: number; readonly buffer: number };
  /** Accepted events that the bus or an export did not take, and defects. */
  readonly failed: { readonly publish: number; readonly export: number; readonly internal: number };
  /** What was left when the time for closing was up. */
  readonly lost: number;
  readonly queued: number;
  /** Accepted in the last second. */
  readonly perSecond: number;
  readonly exports: readonly ExportStatus[];
}

/** Of what refuses one hears at most so often: the count says how much it is. */
const TOLD_EVERY_MS = 60_000;

export class EventCounter {
  readonly #runtime: Runtime;
  readonly #report: (report: EventsReport) => void;
  #accepted = 0;
  #published = 0;
  #exported = 0;
  #lost = 0;
  readonly #refused = { rate: 0, buffer: 0 };
  readonly #failed = { publish: 0, export: 0, internal: 0 };
  readonly #toldAtMs = new Map<string, number>();

  constructor(runtime: Runtime, report: (report: EventsReport) => void) {
    this.#runtime = runtime;
    this.#report = report;
  }

  accepted(): void {
    this.#accepted++;
  }

  published(): void {
    this.#published++;
  }

  exported(events: number): void {
    this.#exported += events;
  }

  lost(events: number): void {
    this.#lost += events;
  }

  refused(why: 'rate' | 'buffer'): void {
    this.#refused[why]++;
    const words = why === 'rate' ? 'max_events_per_second is reached' : 'buffer_size events wait';
    this.#tell({ code: 'events_refused', text: `Events are refused: ${words}.` }, why);
  }

  failed(where: 'publish' | 'export' | 'internal', events = 1): void {
    this.#failed[where] += events;
  }

  publishFailed(error: unknown): void {
    this.failed('publish');
    // Messages may hold what nobody should read.
    const name = error instanceof Error ? error.name : 'no error';
    const words = isEventManagerError(error) ? error.code : name;
    this.#tell({ code: 'publish_failed', text: `The bus did not take an event of a component: ${words}.` }, 'publish');
  }

  counts(now: Pick<EventCounts, 'queued' | 'perSecond' | 'exports'>): EventCounts {
    return {
      accepted: this.#accepted,
      published: this.#published,
      exported: this.#exported,
      refused: { ...this.#refused },
      failed: { ...this.#failed },
      lost: this.#lost,
      ...now,
    };
  }

  #tell(report: EventsReport, about: string): void {
    const nowMs = this.#runtime.clock.monotonicMs();
    const toldAtMs = this.#toldAtMs.get(about);
    if (toldAtMs !== undefined && nowMs - toldAtMs < TOLD_EVERY_MS) return;
    this.#toldAtMs.set(about, nowMs);
    this.#report(report);
  }
}
