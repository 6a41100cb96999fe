import { Buffer } from 'node:buffer';
import type { Lane, Outcome, Sink } from '@event-manager/core';

/** One attempt as the receiver saw it. */
export interface Seen {
  readonly id: string;
  readonly position: number;
  readonly lane: Lane;
  readonly attempt: number;
  readonly body: Buffer;
  /** Which engine made it, counted from 1. */
  readonly life: number;
}

export const DELIVERED: Outcome = { status: 'delivered' };

export function failure(message: string): Extract<Outcome, { status: 'retry' }> {
  return { status: 'retry', error: { code: 'http_503', message } };
}

export function rejection(message: string): Outcome {
  return { status: 'reject', error: { code: 'http_422', message } };
}

/** An answer that never comes. */
export function silence(): Promise<never> {
  return new Promise(() => {});
}

/**
 * What the subscription delivers to. It outlives the engines, notes every attempt, and judges on the way what no
 * engine may do whatever happens: repeat an attempt number, or an event without need.
 */
export class Receiver {
  readonly seen: Seen[] = [];
  /** Ids whose delivery was confirmed to an engine that was alive, with the life it happened in. */
  readonly delivered = new Map<string, number>();
  /** Ids that were attempted after they were confirmed, by the life in which they were confirmed. */
  readonly duplicates = new Map<number, Set<string>>();
  /** Attempts whose number was not higher than that of an earlier one of the same event. */
  readonly repeatedNumbers: Seen[] = [];
  underWay = 0;
  mostUnderWay = 0;
  answer: (seen: Seen) => Outcome | Promise<Outcome> = () => DELIVERED;
  onSeen: (seen: Seen) => void = () => {};
  readonly #lastAttempt = new Map<string, number>();

  /** The way here of one engine; it ends with the engine. */
  sink(life: number, isAlive: () => boolean): Sink {
    this.underWay = 0;
    return {
      deliver: async (batch) => {
        if (!isAlive()) return silence();
        const seen = batch.map(({ record, attempt }) => {
          const { id, place, lane, body } = record;
          return { id, position: place.position, lane, attempt, body: Buffer.from(body), life };
        });
        this.underWay += seen.length;
        this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
        for (const each of seen) this.#note(each);
        const outcomes = await Promise.all(seen.map((each) => this.answer(each)));
        if (!isAlive()) return silence();
        this.underWay -= seen.length;
        for (const [at, { status }] of outcomes.entries()) {
          if (status === 'delivered') this.delivered.set(seen[at]!.id, life);
        }
        return outcomes;
      },
      close: async () => {},
    };
  }

  ids(): string[] {
    return this.seen.map(({ id }) => id);
  }

  attemptsOf(id: string): number[] {
    return this.seen.filter((each) => each.id === id).map(({ attempt }) => attempt);
  }

  #note(seen: Seen): void {
    this.seen.push(seen);
    const confirmedIn = this.delivered.get(seen.id);
    if (confirmedIn !== undefined) {
      const ids = this.duplicates.get(confirmedIn) ?? new Set();
      this.duplicates.set(confirmedIn, ids.add(seen.id));
    }
    if (seen.attempt <= (this.#lastAttempt.get(seen.id) ?? 0)) this.repeatedNumbers.push(seen);
    this.#lastAttempt.set(seen.id, seen.attempt);
    this.onSeen(seen);
  }
}
