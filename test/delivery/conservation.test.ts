import { ANONYMOUS, type Delivery, decodeCursor, type EventIn, type EventPriority } from '@event-manager/core';
import { checkHistory, type HistoryEntry, isFaultless } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { Engines, eventIdFrom } from './engines.ts';

const SUBSCRIPTIONS = 20;
const EVENTS = 5_000;
const BATCH = 100;

/** Without faults there is no excuse: a single duplicate, gap or overtaking here is a plain mistake of delivery. */
it('delivers 100,000 times, with nothing lost, repeated or out of order', { timeout: 600_000 }, async () => {
  const engines = new Engines({ seed: 1, stallShare: 0 });
  const history: HistoryEntry[] = [];
  const names = new Map<string, string>();
  const webhookSink = () => ({
    async deliver(batch: readonly Delivery[]) {
      for (const { record, subscriptionId, attempt } of batch) {
        history.push({ kind: 'deliver', subscription: names.get(subscriptionId)!, id: record.id, attempt });
      }
      await engines.time.wait(1);
      return batch.map(() => ({ status: 'delivered' as const }));
    },
    close: async () => {},
  });
  const anEvent = (number: number): EventIn & { id: string; priority: EventPriority } => {
    const priority = engines.chance.integer(4) as EventPriority;
    return { id: eventIdFrom(engines.chance), type: 'counted', source: 'test', priority, payload: { number } };
  };
  const running = await Promise.all(
    ['one', 'two', 'three'].map((name) => engines.launch(name, () => ({ webhookSink }))),
  );
  for (let at = 0; at < SUBSCRIPTIONS; at++) {
    const name = `subscription-${at}`;
    const options = { batchSize: [1, 10, 100][at % 3], maxConcurrency: [1, 4, 32][at % 3] };
    const request = { name, topic: '#', endpoint: 'https://receiver.example/', options };
    const { engine } = running[at % running.length]!;
    history.push({ kind: 'subscribe', subscription: name });
    names.set((await engines.time.run(engine.subscriptions.subscribe(ANONYMOUS, request))).id, name);
  }
  for (let first = 0; first < EVENTS; first += BATCH) {
    const events = Array.from({ length: BATCH }, (_, at) => anEvent(first + at));
    for (const { id, priority } of events) history.push({ kind: 'invoke', client: 'publisher', id, lane: priority });
    const { engine } = running[engines.chance.integer(running.length)]!;
    for (const result of await engines.time.run(engine.publishBatch(ANONYMOUS, events))) {
      if (result instanceof Error) throw result;
      history.push({ kind: 'ok', id: result.id, position: decodeCursor(result.cursor)[0]!.position });
    }
  }
  const isDelivered = () => history.filter(({ kind }) => kind === 'deliver').length >= EVENTS * SUBSCRIPTIONS;
  while (!isDelivered()) await engines.time.advance(1_000);
  // Time for what must not come.
  await engines.time.advance(60_000);
  const report = checkHistory(history);
  process.stdout.write(`${JSON.stringify({ ...report, subscriptions: report.subscriptions.length })}\n`);
  expect(report).toMatchObject({ acked: EVENTS, delivered: EVENTS * SUBSCRIPTIONS, duplicates: 0 });
  expect(isFaultless(report)).toBe(true);
});
