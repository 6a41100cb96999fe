import { ANONYMOUS, type Delivery, type Outcome, type PlantedBug } from '@event-manager/core';
import { Engines } from './engines.ts';

const OUTAGE_MS = 300_000;
const FLOOD_MS = 20_000;
const HANDLING_MS = 100;
export const AGING_MS = 1_000;
const LOW = 3;
const CRITICAL = 0;

/** A receiver that nobody reaches for five minutes, behind a breaker, with fewer retries than there are probes. */
export async function runOutage(
  planted: readonly PlantedBug[] = [],
): Promise<{ delivered: number; deadLetters: number }> {
  const engines = new Engines({ seed: 5, planted, stallShare: 0 });
  const { time } = engines;
  const upAtMs = time.monotonicMs() + OUTAGE_MS;
  let delivered = 0;
  const error = { code: 'connection_refused', message: 'Nobody is there.' };
  const deliver = async (batch: readonly Delivery[]): Promise<Outcome[]> => {
    if (time.monotonicMs() < upAtMs) return batch.map(() => ({ status: 'retry', error, unreached: true }));
    delivered += batch.length;
    return batch.map(() => ({ status: 'delivered' }));
  };
  const { engine } = await engines.launch('process', () => ({
    webhookSink: () => ({ deliver, close: async () => {} }),
  }));
  const retryPolicy = { maxRetries: 4, backoffStrategy: 'fixed', initialDelay: 100, jitter: false };
  const options = { maxConcurrency: 1, retryPolicy, breaker: { failures: 2, windowMs: 60_000, openMs: 1_000 } };
  const request = { name: 'away', topic: '#', endpoint: 'https://receiver.example/', options };
  await time.run(engine.subscriptions.subscribe(ANONYMOUS, request));
  await time.run(engine.publish(ANONYMOUS, { type: 'told', source: 'test', payload: {} }));
  await time.advance(2 * OUTAGE_MS);
  const letters = await time.run(engine.deadLetters.all(ANONYMOUS));
  return { delivered, deadLetters: letters.length };
}

/** How long an event that is not urgent waits beside urgent ones that come faster than they are handled, milliseconds. */
export async function runFlood(planted: readonly PlantedBug[] = []): Promise<number> {
  const engines = new Engines({ seed: 6, planted, stallShare: 0 });
  const { time } = engines;
  let waitedMs = Number.POSITIVE_INFINITY;
  const { engine } = await engines.launch('process', () => ({}));
  const publishedAtMs = time.monotonicMs();
  const handler = async ({ priority }: { priority: number }): Promise<void> => {
    if (priority === LOW) waitedMs = Math.min(waitedMs, time.monotonicMs() - publishedAtMs);
    await time.wait(HANDLING_MS);
  };
  const options = { maxConcurrency: 1, agingMs: AGING_MS };
  await time.run(engine.subscriptions.subscribe(ANONYMOUS, { name: 'flooded', topic: '#', handler, options }));
  const publish = (priority: 0 | 3) =>
    time.run(engine.publish(ANONYMOUS, { type: 'came', source: 'test', priority, payload: {} }));
  for (let first = 0; first < 5; first++) await publish(CRITICAL);
  await publish(LOW);
  for (let atMs = 0; atMs < FLOOD_MS; atMs += HANDLING_MS) {
    await publish(CRITICAL);
    await publish(CRITICAL);
    await time.advance(HANDLING_MS / 2);
  }
  return waitedMs;
}
