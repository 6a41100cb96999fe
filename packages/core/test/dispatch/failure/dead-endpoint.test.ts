import type { Outcome, SubscriptionDefinition } from '@event-manager/core';
import { expect, it } from 'vitest';
import { type EngineUnderTest, openMemory, sinkOf } from '../../open-engine.ts';

const SUBSCRIPTIONS = 1_000;
const EVENTS = 100;
const DEAD = 'https://dead.example/';

/** The 99th of a hundred waits from publishing to the receiver, of all that are well. */
async function slowest99(withDead: boolean): Promise<number> {
  const waitsMs: number[] = [];
  let publishedAtMs = 0;
  let bus: EngineUnderTest;
  let underWay = 0;
  let mostUnderWay = 0;
  const webhookSink = ({ sink }: SubscriptionDefinition) =>
    sinkOf(async (batch, { signal }) => {
      if ((sink as { endpoint: string }).endpoint === DEAD) {
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        underWay--;
        return batch.map((): Outcome => ({ status: 'retry', error: { code: 'timeout', message: 'silent' } }));
      }
      await bus.time.wait(5);
      waitsMs.push(bus.time.monotonicMs() - publishedAtMs);
      return batch.map((): Outcome => ({ status: 'delivered' }));
    });
  bus = await openMemory({ webhookSink });
  const options = { timeoutMs: 1_000, retryPolicy: { maxRetries: 100, initialDelay: 1, maxDelay: 1 }, breaker: false };
  if (withDead) await bus.subscribe({ endpoint: DEAD, options });
  for (let n = withDead ? 1 : 0; n < SUBSCRIPTIONS; n++) await bus.subscribe({ endpoint: `https://h${n}.example/` });
  for (let n = 0; n < EVENTS; n++) {
    publishedAtMs = bus.time.monotonicMs();
    await bus.publish({ payload: { n } });
    await bus.time.advance(50);
  }
  expect(mostUnderWay).toBe(withDead ? 10 : 0);
  await bus.close({ drainMs: 0 });
  expect(waitsMs.length).toBeGreaterThanOrEqual((SUBSCRIPTIONS - 1) * EVENTS);
  return waitsMs.sort((a, b) => a - b)[Math.floor(waitsMs.length * 0.99)]!;
}

it('keeps nobody waiting: one endpoint of a thousand that accepts and never answers', async () => {
  const alone = await slowest99(false);
  expect(alone).toBeGreaterThan(0);
  const withDead = await slowest99(true);
  process.stdout.write(`${JSON.stringify({ test: 'D8', subscriptions: SUBSCRIPTIONS, p99Ms: { alone, withDead } })}\n`);
  expect(withDead).toBeLessThanOrEqual(alone * 1.1);
}, 120_000);
