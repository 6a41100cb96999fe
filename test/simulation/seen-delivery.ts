import type { HistoryEntry } from '@event-manager/testing';

/** What a receiver was told of a delivery, beside what everybody can see. */
export interface Seen {
  /** How often the subscription had been reset when the delivery was made. */
  readonly resets: number;
  readonly round: number;
}

/** A delivery as a simulated receiver writes it down, with what it answered. */
export type SeenDelivery = Extract<HistoryEntry, { kind: 'deliver' }> & Seen & { readonly answer: string };

/** What a consumer that pulls said of a delivery, or heard. */
export type SeenAnswer = Extract<HistoryEntry, { kind: 'ack' | 'maybe-ack' | 'stale' }> & Seen;

/** The life of a delivery, as its receiver is told it: absent for the first. */
export function readLife(life = '0.0'): Pick<Seen, 'resets' | 'round'> {
  const [resets, round] = life.split('.').map(Number) as [number, number];
  return { resets, round };
}

/** The deliveries of one event to one subscription, in order. */
export function deliveriesOf(history: readonly HistoryEntry[], subscription: string, id: string): SeenDelivery[] {
  return history.filter(
    (entry): entry is SeenDelivery =>
      entry.kind === 'deliver' && entry.subscription === subscription && entry.id === id,
  );
}
