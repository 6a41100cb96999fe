import { END_STATES, type HistoryEntry } from './history-entry.ts';
import { type PublishedEvent, publishedEvents } from './published-events.ts';
import { settledAcknowledgements } from './settled-acknowledgements.ts';
import { SubscriptionHistory, type SubscriptionReport } from './subscription-history.ts';

export interface HistoryReport extends Omit<SubscriptionReport, 'subscription' | 'lostWhere' | 'mostInMinute'> {
  readonly subscriptions: readonly SubscriptionReport[];
  /** Some ids behind the numbers that should be 0, as `subscription id`. */
  readonly examples: Readonly<Record<'lost' | 'unexpected' | 'inversions', readonly string[]>>;
}

const EXAMPLES_MAX = 10;

/**
 * Judges a run by what its clients and receivers saw, knowing nothing of the product. The sums of the report are over its
 * subscriptions, except `attempts` and `acked`, which count each event once. `JSON.stringify` of it is the one line that a
 * run prints.
 */
export function checkHistory(told: readonly HistoryEntry[]): HistoryReport {
  const history = settledAcknowledgements(told);
  const published = publishedEvents(history);
  const subscriptions = new Map<string, SubscriptionHistory>();
  for (const entry of history) {
    if (entry.kind === 'subscribe') subscriptions.set(entry.subscription, new SubscriptionHistory(entry));
  }
  for (const entry of history) {
    if (entry.kind === 'subscribe' || !('subscription' in entry)) continue;
    const subscription = subscriptions.get(entry.subscription);
    if (subscription === undefined) throw new TypeError(`The history never declares ${entry.subscription}.`);
    if (entry.kind === 'deliver') subscription.deliver(entry, published.get(entry.id));
    else if (entry.kind === 'ack') subscription.ack(entry.id);
    else if (entry.kind === 'maybe-ack') subscription.maybeAck(entry);
    else if (entry.kind === 'stale') continue;
    else if (entry.kind === 'end') subscription.end(entry);
    else if (entry.kind === 'interrupt') subscription.interrupt();
    else subscription.release(entry);
  }
  const reports = [...subscriptions.values()].map((subscription) => subscription.report(published));
  return summarize(published, reports, [...subscriptions.values()]);
}

/** True when nothing was lost, invented or out of order. Duplicates are allowed after crashes: their bound is the run's. */
export function isFaultless(report: HistoryReport): boolean {
  const { lost, unexpected, inversions, parkedWentOn, attemptsRepeated } = report;
  return lost + unexpected + inversions + parkedWentOn + attemptsRepeated === 0;
}

const SUMMED = [
  'delivered',
  'lost',
  'unexpected',
  'duplicates',
  'inversions',
  'parkedWentOn',
  'attemptsRepeated',
  'recovered',
  ...END_STATES,
] as const;

function summarize(
  published: ReadonlyMap<string, PublishedEvent>,
  reports: readonly SubscriptionReport[],
  histories: readonly SubscriptionHistory[],
): HistoryReport {
  const sums = Object.fromEntries(
    SUMMED.map((field) => [field, reports.reduce((sum, report) => sum + report[field], 0)]),
  ) as Record<(typeof SUMMED)[number], number>;
  const examplesOf = (kind: 'lost' | 'unexpected' | 'inversions') =>
    histories.flatMap(({ name, examples }) => examples[kind].map((id) => `${name} ${id}`)).slice(0, EXAMPLES_MAX);
  return {
    attempts: published.size,
    acked: [...published.values()].filter((event) => event.acknowledgedAt !== undefined).length,
    ...sums,
    examples: {
      lost: examplesOf('lost'),
      unexpected: examplesOf('unexpected'),
      inversions: examplesOf('inversions'),
    },
    subscriptions: reports,
  };
}
