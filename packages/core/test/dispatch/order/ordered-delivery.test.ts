import type { Delivery, Outcome } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory, sinkOf } from '../../open-engine.ts';

const ENDPOINT = 'https://receiver.example/';

interface Seen {
  readonly key: string;
  readonly n: number;
  readonly attempt: number;
}

/** A receiver that answers by the event, and what it saw. */
class KeyedReceiver {
  readonly seen: Seen[] = [];
  answer: (seen: Seen) => Outcome | Promise<Outcome> = () => ({ status: 'delivered' });

  readonly sink = sinkOf(async (batch) => {
    const outcomes = batch.map((delivery) => {
      const seen = readSeen(delivery);
      this.seen.push(seen);
      return this.answer(seen);
    });
    return Promise.all(outcomes);
  });

  of(key: string): string[] {
    return this.seen.filter((seen) => seen.key === key).map(({ n, attempt }) => `${n}/${attempt}`);
  }
}

function readSeen({ record, attempt }: Delivery): Seen {
  const { metadata, payload } = JSON.parse(Buffer.from(record.body).toString()) as {
    metadata: { orderingKey: string };
    payload: { n: number };
  };
  return { key: metadata.orderingKey, n: payload.n, attempt };
}

const FAILED: Outcome = { status: 'retry', error: { code: 'down', message: 'down' } };

async function publishKeys(bus: EngineUnderTest, keys: string, first = 1): Promise<void> {
  for (const [at, key] of [...keys].entries()) {
    await bus.publish({ payload: { n: first + at }, metadata: { orderingKey: key } });
  }
}

describe('order by key', () => {
  it('begins with an event when the one before it of its key is settled, while other keys go on', async () => {
    const receiver = new KeyedReceiver();
    const bus = await openMemory({ webhookSink: () => receiver.sink });
    const options = { order: 'key', retryPolicy: fixedRetry(3, 1_000) };
    await bus.subscribe({ endpoint: ENDPOINT, options });
    receiver.answer = ({ n, attempt }) => (n === 1 && attempt < 3 ? FAILED : { status: 'delivered' });
    await publishKeys(bus, 'aabaab');
    await bus.time.advance(500);
    expect(receiver.of('a')).toEqual(['1/1']);
    expect(receiver.of('b')).toEqual(['3/1', '6/1']);
    await bus.settled();
    expect(receiver.of('a')).toEqual(['1/1', '1/2', '1/3', '2/1', '4/1', '5/1']);
    await bus.close();
  });

  it('keeps the order of a blocked key over a restart', async () => {
    const world = durableWorld();
    const receiver = new KeyedReceiver();
    const setUp = { webhookSink: () => receiver.sink };
    const bus = await world.open(setUp);
    const options = { order: 'key', retryPolicy: fixedRetry(9, 1_000) };
    const { id } = await bus.subscribe({ endpoint: ENDPOINT, options });
    receiver.answer = ({ key }) => (key === 'a' ? FAILED : { status: 'delivered' });
    await publishKeys(bus, 'aabaab');
    await bus.time.advance(300);
    expect(bus.status(id)).toMatchObject({ owed: 1, waiting: 3 });
    bus.crash();
    const again = await world.open(setUp);
    await again.time.advance(300);
    await publishKeys(again, 'aab', 7);
    receiver.answer = () => ({ status: 'delivered' });
    await again.settled();
    const first = new Set<string>();
    const order = receiver
      .of('a')
      .map((seen) => seen.split('/')[0]!)
      .filter((n) => !first.has(n) && first.add(n));
    expect(order).toEqual(['1', '2', '4', '5', '7', '8']);
    expect(receiver.of('b')).toEqual(['3/1', '6/1', '9/1']);
    await again.close();
  });
});
