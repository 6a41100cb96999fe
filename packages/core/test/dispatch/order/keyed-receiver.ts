import type { Delivery, Outcome, Sink } from '@event-manager/core';
import { type EngineUnderTest, sinkOf } from '../../open-engine.ts';

export const ENDPOINT = 'https://receiver.example/';
export const DELIVERED: Outcome = { status: 'delivered' };
export const FAILED: Outcome = { status: 'retry', error: { code: 'down', message: 'The receiver is down.' } };
export const REJECTED: Outcome = { status: 'reject', error: { code: 'refused', message: 'Never.' } };

export interface Seen {
  readonly key: string;
  readonly n: number;
  readonly attempt: number;
}

/** A receiver that answers by the event, and what it saw. */
export class KeyedReceiver {
  readonly seen: Seen[] = [];
  readonly calls: number[] = [];
  answer: (seen: Seen) => Outcome | Promise<Outcome> = () => DELIVERED;

  readonly sink = this.sinkWhile(() => true);

  /** A way here for one process: what it does when it is dead has no effect, whatever its code still tries. */
  sinkWhile(isAlive: () => boolean): Sink {
    return sinkOf(async (batch) => {
      if (!isAlive()) return new Promise(() => {});
      this.calls.push(batch.length);
      const outcomes = batch.map((delivery) => {
        const seen = readSeen(delivery);
        this.seen.push(seen);
        return this.answer(seen);
      });
      return Promise.all(outcomes);
    });
  }

  /** `number/attempt` of the deliveries of one key. */
  of(key: string): string[] {
    return this.seen.filter((seen) => seen.key === key).map(({ n, attempt }) => `${n}/${attempt}`);
  }

  /** The numbers of one key in the order of their first attempts. */
  firstOf(key: string): number[] {
    return [...new Set(this.seen.filter((seen) => seen.key === key).map(({ n }) => n))];
  }
}

function readSeen({ record, attempt }: Delivery): Seen {
  const { topic, metadata, payload } = JSON.parse(Buffer.from(record.body).toString()) as {
    topic: string;
    metadata: { orderingKey?: string };
    payload: { n: number };
  };
  return { key: metadata.orderingKey ?? topic, n: payload.n, attempt };
}

/** One event for each letter of `keys`, which is its key; numbered from `first`. */
export async function publishKeys(bus: EngineUnderTest, keys: string, first = 1): Promise<void> {
  for (const [at, key] of [...keys].entries()) {
    await bus.publish({ payload: { n: first + at }, metadata: { orderingKey: key } });
  }
}
