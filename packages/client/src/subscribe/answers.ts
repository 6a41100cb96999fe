import type { JsonObject, Timers } from '@event-manager/core/portable';
import type { Connection } from '../connection/connection.ts';

/** What became of an attempt, as the service is told. */
export type HandlerOutcome =
  | { readonly status: 'delivered' }
  | {
      readonly status: 'failed';
      readonly retry: boolean;
      readonly error: string;
      readonly metadata?: JsonObject | undefined;
    };

/** Answers to deliveries. Those of one turn go out together. */
export class Answers {
  readonly #connection: Connection;
  readonly #timers: Timers;
  #acknowledged: number[] = [];
  #released: number[] = [];
  #refusals: string[] = [];
  #isFlushing = false;

  constructor(connection: Connection, timers: Timers) {
    this.#connection = connection;
    this.#timers = timers;
  }

  give(delivery: number, outcome: HandlerOutcome): void {
    if (outcome.status === 'delivered') this.#acknowledged.push(delivery);
    else {
      const { retry, error, metadata } = outcome;
      this.#refusals.push(JSON.stringify({ type: 'nack', deliveries: [delivery], retry, error, metadata }));
    }
    this.#flushSoon();
  }

  /** Gives deliveries back that were not handled and will not be. */
  release(deliveries: readonly number[]): void {
    if (deliveries.length === 0) return;
    this.#released.push(...deliveries);
    this.#flushSoon();
  }

  flush(): void {
    if (!this.#connection.isOpen) return;
    if (this.#acknowledged.length > 0) {
      this.#connection.send(`{"type":"ack","deliveries":[${this.#acknowledged.join()}]}`);
      this.#acknowledged = [];
    }
    if (this.#released.length > 0) {
      this.#connection.send(`{"type":"release","deliveries":[${this.#released.join()}]}`);
      this.#released = [];
    }
    for (const refusal of this.#refusals) this.#connection.send(refusal);
    this.#refusals = [];
  }

  /** The numbers mean nothing on another connection. */
  lost(): void {
    this.#acknowledged = [];
    this.#released = [];
    this.#refusals = [];
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#timers.soon(() => {
      this.#isFlushing = false;
      this.flush();
    });
  }
}
