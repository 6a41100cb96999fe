import type { CancelEntry, CompleteEntry, HistoryEntry, InvokeEntry } from './history-entry.ts';

/** What the clients know of one event. */
export interface PublishedEvent {
  readonly id: string;
  readonly client: string;
  readonly lane: number;
  readonly digest: string | undefined;
  readonly subscriptions: ReadonlySet<string> | undefined;
  readonly optional: ReadonlySet<string>;
  readonly keys: InvokeEntry['keys'];
  readonly isLater: boolean;
  /** Indexes in the history: first invoked, first acknowledged. */
  readonly invokedAt: number;
  acknowledgedAt: number | undefined;
  position: number | undefined;
  /** `surely`: nobody sees it. `maybe`: nobody knows whether it comes. */
  cancelled: 'no' | 'maybe' | 'surely';
  /** Invocations whose end nobody knows. */
  open: number;
}

const NONE: ReadonlySet<string> = new Set();

/** Folds what clients invoked and how it ended into one fact per event. */
export function publishedEvents(history: readonly HistoryEntry[]): Map<string, PublishedEvent> {
  const events = new Map<string, PublishedEvent>();
  for (const [index, entry] of history.entries()) {
    if (entry.kind === 'invoke') invoke(events, entry, index);
    if (entry.kind === 'cancel') cancel(events, entry);
    if (entry.kind === 'ok' || entry.kind === 'fail' || entry.kind === 'unknown') complete(events, entry, index);
  }
  return events;
}

function invoke(events: Map<string, PublishedEvent>, entry: InvokeEntry, index: number): void {
  const known = events.get(entry.id);
  if (known !== undefined) {
    known.open++;
    return;
  }
  events.set(entry.id, {
    id: entry.id,
    client: entry.client,
    lane: entry.lane ?? 0,
    digest: entry.digest,
    subscriptions: entry.subscriptions === undefined ? undefined : new Set(entry.subscriptions),
    optional: entry.optional === undefined ? NONE : new Set(entry.optional),
    keys: entry.keys,
    isLater: entry.isLater === true,
    invokedAt: index,
    acknowledgedAt: undefined,
    position: undefined,
    cancelled: 'no',
    open: 1,
  });
}

function cancel(events: Map<string, PublishedEvent>, { id, isSure }: CancelEntry): void {
  const event = events.get(id);
  if (event === undefined) throw new TypeError(`The history cancels ${id}, which nobody published.`);
  event.cancelled = isSure ? 'surely' : 'maybe';
}

function complete(events: Map<string, PublishedEvent>, entry: CompleteEntry, index: number): void {
  const event = events.get(entry.id);
  if (event === undefined) throw new TypeError(`The history ends the publishing of ${entry.id}, which never began.`);
  if (entry.kind === 'ok') {
    event.acknowledgedAt ??= index;
    event.position ??= entry.position;
  }
  // What ended unknown stays open: it may have been stored.
  if (entry.kind !== 'unknown') event.open--;
}
