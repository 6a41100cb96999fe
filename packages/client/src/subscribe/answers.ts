import type { Timers } from '@event-manager/core/portable';
import type { Connection } from '../connection/connection.ts';

/** What became of an attempt, as the service is told. */
export type HandlerOutcome =
  | { readonly status: 'delivered' }
  | { readonly status: 'failed'; readonly retry: boolean; readonly error: string };

/** Answers to deliveries. Those of one turn go out together. */
export class Answers {
  readonly #connection: Connection;
  readonly #timers: Timers;
  #acknowledged: number[] = [];
  #refusals: string[] = [];
  #isFlushing = false;

  constructor(connection: Connection, timers: Timers) {
    this.#connection = connection;
    this.#timers = timers;
  }

  give(delivery: number, outcome: HandlerOutcome): void {
    if (outcome.status === 'delivered') this.#acknowledged.push(delivery);
    else {
      const { retry, error } = outcome;
      this.#refusals.push(JSON.stringify({ type: 'nack', deliveries: [delivery], retry, error }));
    }
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#timers.soon(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }

  flush(): void {
    if (!this.#connection.isOpen) return;
    if (this.#acknowledged.length > 0) {
      this.#connection.send(`{"type":"ack","deliveries":[${this.#acknowledged.join()}]}`);
      this.#acknowledged = [];
    }
    for (const refusal of this.#refusals) this.#connection.send(refusal);
    this.#refusals = [];
  }

  /** The numbers mean nothing on another connection. */
  lost(): void {
    this.#acknowledged = [];
    this.#refusals = [];
  }
}
