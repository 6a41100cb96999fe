import type { ServerResponse } from 'node:http';
import { ANONYMOUS, Engine, memory, type Outcome, type Sink, systemRuntime } from '@event-manager/core';
import { SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { addressGuard } from '../src/address/address-guard.ts';
import { webhookSender } from '../src/send/sender.ts';
import { webhookSink } from '../src/webhook-sink.ts';
import { httpReceiver } from './receiver.ts';

const SEED = 7;
const EVENTS = 400;
const TIMEOUT_MS = 400;
const LATE_MS = 900;
const MAX_RETRIES = 3;

/** What a receiver does with a request, and how often of a hundred. */
const MISDEEDS: readonly (readonly [percent: number, act: (response: ServerResponse, took: () => void) => void])[] = [
  [20, (response) => response.writeHead(500).end()],
  [5, () => {}],
  [5, (response) => response.socket!.resetAndDestroy()],
  [
    5,
    (response, took) => {
      took();
      setTimeout(() => response.end(), LATE_MS).unref();
    },
  ],
  [
    100,
    (response, took) => {
      took();
      response.end();
    },
  ],
];

/** Wraps a sink and writes down what it said of each delivery. */
function listening(sink: Sink, hear: (id: string, attempt: number, outcome: Outcome) => void): Sink {
  return {
    async deliver(batch, options) {
      const outcomes = await sink.deliver(batch, options);
      batch.forEach(({ record, attempt }, at) => {
        if (!options.signal.aborted) hear(record.id, attempt, outcomes[at]!);
      });
      return outcomes;
    },
    close: () => sink.close(),
  };
}

it('keeps the books exactly while a receiver fails, stays silent, resets and answers late', async () => {
  const chance = new SeededChance(SEED);
  /** How often the receiver took each event, in time or late. */
  const taken = new Map<string, number>();
  const receiver = await httpReceiver(({ request }, response) => {
    const id = request.headers['webhook-id'] as string;
    const took = () => void taken.set(id, (taken.get(id) ?? 0) + 1);
    let percent = chance.fraction() * 100;
    for (const [share, act] of MISDEEDS) {
      percent -= share;
      if (percent < 0) return act(response, took);
    }
  });
  const guard = addressGuard({ allow: ['loopback'] });
  const sender = webhookSender({ guard });
  const delivered = new Set<string>();
  const deliveredTwice: string[] = [];
  const attempts = new Map<string, number>();
  const engine = await Engine.open({
    adapter: memory(),
    webhookSink: () =>
      listening(
        webhookSink({ endpoint: receiver.url, runtime: systemRuntime, guard, sender }),
        (id, attempt, outcome) => {
          attempts.set(id, Math.max(attempt, attempts.get(id) ?? 0));
          if (outcome.status !== 'delivered') return;
          if (delivered.has(id)) deliveredTwice.push(id);
          delivered.add(id);
        },
      ),
  });
  onTestFinished(async () => {
    await engine.close({ drainMs: 0 });
    await sender.close();
  });
  const retryPolicy = { maxRetries: MAX_RETRIES, backoffStrategy: 'fixed', initialDelay: 20, maxDelay: 20 };
  const options = { timeoutMs: TIMEOUT_MS, maxConcurrency: 32, retryPolicy, breaker: { failures: 20, openMs: 100 } };
  const { id } = await engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', endpoint: receiver.url, options });
  const inputs = Array.from({ length: EVENTS }, (_, n) => ({ type: 'a', source: 'test', payload: { n } }));
  const ids = (await engine.publishBatch(ANONYMOUS, inputs)).map((result) => (result as { id: string }).id);
  await engine.settled();

  const dead = new Set((await engine.deadLetters.all(ANONYMOUS)).map(({ eventId }) => eventId));
  const { counts, owed } = engine.subscriptions.status(ANONYMOUS, id);
  expect([owed, deliveredTwice]).toEqual([0, []]);
  expect(counts.delivered + counts.deadLettered).toBe(EVENTS);
  expect([counts.delivered, counts.deadLettered]).toEqual([delivered.size, dead.size]);
  expect([...dead].filter((id) => delivered.has(id))).toEqual([]);
  expect(new Set([...delivered, ...dead])).toEqual(new Set(ids));
  expect(Math.max(...attempts.values())).toBeLessThanOrEqual(MAX_RETRIES + 1);
  // What the receiver took twice is a late answer that was delivered again: counted, never hidden.
  expect([...delivered].filter((id) => !taken.has(id))).toEqual([]);
  const duplicates = [...taken.values()].reduce((sum, times) => sum + times - 1, 0);
  expect(duplicates).toBeGreaterThan(0);
  expect(counts.stale).toBeGreaterThanOrEqual(duplicates);
  expect(counts.failed).toBe(counts.retried + counts.deadLettered);
  const attemptsMax = Math.max(...attempts.values());
  const facts = {
    events: EVENTS,
    delivered: delivered.size,
    deadLettered: dead.size,
    lost: 0,
    duplicates,
    attemptsMax,
  };
  process.stdout.write(`${JSON.stringify({ test: 'D2', seed: SEED, ...facts, stale: counts.stale })}\n`);
}, 60_000);
