import type { BrowserMetrics } from './browser-counts.ts';

/** One number of the WebSockets of pages, as Prometheus sees it. */
export interface PageMetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly label?: string;
  /** By the values of the label; of a metric without one a number. */
  read(metrics: BrowserMetrics): number | Readonly<Record<string, number>>;
}

/** `docs/metrics.md` is written from these, too. No label holds what pages or publishers choose. */
export const PAGE_METRICS: readonly PageMetricRow[] = Object.freeze([
  gauge('eventmanager_pages', 'Pages that are connected.', ({ connections }) => connections),
  gauge('eventmanager_pages_max', 'How many may be, `maxConnections`.', ({ connectionsMax }) => connectionsMax),
  counter('eventmanager_pages_accepted_total', 'Pages that were let in.', ({ accepted }) => accepted),
  {
    ...counter(
      'eventmanager_pages_refused_total',
      'Pages that were not, because their address had enough of them (address), or for anything else (other).',
      ({ refused, crowded }) => ({ address: crowded, other: refused - crowded }),
    ),
    label: 'reason',
  },
  counter('eventmanager_pages_stale_total', 'Cut because nothing came back to a ping.', ({ stale }) => stale),
  counter('eventmanager_pages_resumed_total', 'Went on from a cursor.', ({ resumed }) => resumed),
  counter('eventmanager_page_events_sent_total', 'Events sent to pages.', ({ eventsSent }) => eventsSent),
  counter('eventmanager_page_sent_bytes_total', 'Bytes sent to pages.', ({ bytesSent }) => bytesSent),
  gauge('eventmanager_page_events_queued', 'Events that wait for pages, all together.', ({ queued }) => queued),
  {
    ...counter(
      'eventmanager_page_events_shed_total',
      'Events that a page did not get because too much waited for it.',
      ({ shed }) => shed,
    ),
    label: 'priority',
  },
  counter(
    'eventmanager_page_conversions_failed_total',
    'Events that could not be made readable, once for each form.',
    ({ conversionsFailed }) => conversionsFailed,
  ),
  counter(
    'eventmanager_page_frames_refused_total',
    'Frames of pages that could not be read.',
    ({ framesRefused }) => framesRefused,
  ),
  counter('eventmanager_page_gaps_total', 'Gaps of the log that pages were told of.', ({ gaps }) => gaps),
]);

/** The content type of what `exposePages` gives. */
export const PAGES_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The numbers of `getMetrics()` in the text form of Prometheus, for a `/metrics` of the program's own. */
export function exposePages(metrics: BrowserMetrics): string {
  return PAGE_METRICS.map((row) => {
    const read = row.read(metrics);
    const samples =
      typeof read === 'number'
        ? [`${row.name} ${read}`]
        : Object.entries(read).map(([key, value]) => `${row.name}{${row.label}="${key}"} ${value}`);
    return [`# HELP ${row.name} ${row.help}`, `# TYPE ${row.name} ${row.type}`, ...samples, ''].join('\n');
  }).join('');
}

function gauge(name: string, help: string, read: PageMetricRow['read']): PageMetricRow {
  return { name, type: 'gauge', help, read };
}

function counter(name: string, help: string, read: PageMetricRow['read']): PageMetricRow {
  return { name, type: 'counter', help, read };
}
