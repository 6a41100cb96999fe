/**
 * A reset ends one life of a subscription and begins the next: what it owes then stands as that of a new subscription which begins
 * behind the place. So it is judged as that: the history of each subscription that was reset is split, each life a subscription of
 * its own, the last under the name of all.
 *
 * - A life is owed what lies behind its place and nothing before. What an earlier one had not done when it ended nobody owes for it.
 * - Every delivery says in which life it was made, whenever its receiver came to see it.
 * - A dead letter of before the place that somebody redrives is delivered in a life that does not owe the event: its round, behind
 *   that with which the life begins, tells it from an event that must not come (`notOwed`).
 */
import type { Position } from '@event-manager/core';
import type { HistoryEntry, InvokeEntry } from '@event-manager/testing';
import type { SeenAnswer, SeenDelivery } from './seen-delivery.ts';

/** One reset that is durable. */
export interface KeptReset {
  /** The subscription went on behind this position. */
  readonly to: Position;
  /** The round in which deliveries begin since. */
  readonly firstRound: number;
}

export interface LivesFacts {
  /** What became durable of the resets of a subscription, by its name, in order. */
  readonly resets: (subscription: string) => readonly KeptReset[];
  /** Where events stand in the log, as far as anybody knows. */
  readonly positions: ReadonlyMap<string, Position>;
}

/** In the history under this name; that of the last is the name of the subscription. */
function nameOf(subscription: string, life: number, { resets }: LivesFacts): string {
  return life === resets(subscription).length ? subscription : `${subscription}~${life}`;
}

/** The subscription of which this is a life. */
export function subscriptionOf(name: string): string {
  return name.split('~')[0]!;
}

/** Whether the event lies behind the place where the life begins; `undefined` where nobody knows. */
export function isOwed(subscription: string, id: string, life: number, facts: LivesFacts): boolean | undefined {
  if (life === 0) return true;
  const position = facts.positions.get(id);
  return position === undefined ? undefined : position > (facts.resets(subscription)[life - 1]?.to ?? 0);
}

export function splitLives(history: readonly HistoryEntry[], facts: LivesFacts): HistoryEntry[] {
  return history.flatMap((entry): HistoryEntry[] => {
    if (entry.kind === 'invoke') return splitInvoke(entry, facts);
    if (!('subscription' in entry)) return [entry];
    const { subscription } = entry;
    if (entry.kind === 'deliver' || entry.kind === 'ack' || entry.kind === 'maybe-ack' || entry.kind === 'stale') {
      const { resets: life } = entry as SeenDelivery | SeenAnswer;
      if (isOwed(subscription, entry.id, life, facts) === false) return [];
      return [{ ...entry, subscription: nameOf(subscription, life, facts) }];
    }
    if (entry.kind === 'end') return [entry];
    return livesOf(subscription, facts).map((life) => ({ ...entry, subscription: nameOf(subscription, life, facts) }));
  });
}

function splitInvoke(entry: InvokeEntry, facts: LivesFacts): HistoryEntry[] {
  const [subscriptions, optional]: [string[], string[]] = [[], []];
  const ends: HistoryEntry[] = [];
  for (const subscription of entry.subscriptions!) {
    const lives = livesOf(subscription, facts);
    for (const life of lives) {
      const isMeant = isOwed(subscription, entry.id, life, facts);
      if (isMeant === false) continue;
      const name = nameOf(subscription, life, facts);
      subscriptions.push(name);
      if (isMeant === undefined || entry.optional?.includes(subscription)) optional.push(name);
      // What it had not done when it ended is dropped; only the order of what it did is judged.
      if (life < lives.length - 1) ends.push({ kind: 'end', subscription: name, id: entry.id, state: 'withdrawn' });
    }
  }
  return [{ ...entry, subscriptions, optional }, ...ends];
}

function livesOf(subscription: string, { resets }: LivesFacts): number[] {
  return Array.from({ length: resets(subscription).length + 1 }, (_, life) => life);
}

/** Deliveries in a life that does not owe the event, which no redrive explains, and in one that never began. */
export function notOwed(history: readonly HistoryEntry[], facts: LivesFacts): string[] {
  return history.flatMap((entry) => {
    if (entry.kind !== 'deliver') return [];
    const { subscription, id, resets: life, round } = entry as SeenDelivery;
    const resets = facts.resets(subscription);
    if (life > resets.length) return [`C2 ${subscription} got ${id} after ${life} resets of ${resets.length}`];
    if (isOwed(subscription, id, life, facts) !== false || round > resets[life - 1]!.firstRound) return [];
    return [`C3 ${subscription} got ${id}, which lies before the place of its reset`];
  });
}
