import type { EventMetadataIn, Outcome, RetryPolicy } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, fixedRetry, sinkOf } from '../open-engine.ts';

const ERROR = { code: 'http_503', message: 'Service unavailable.' };

interface Case {
  readonly outcomes: Outcome[];
  readonly retryPolicy?: Partial<RetryPolicy> | Record<string, unknown>;
  readonly metadata?: EventMetadataIn;
  readonly breaker?: false;
}

/** One event to a webhook that answers as told, the last answer again and again; when each attempt came, and the end. */
async function attemptsOf({ outcomes, retryPolicy = fixedRetry(3), metadata, breaker }: Case) {
  const { time, open } = durableWorld();
  const attempts: { attempt: number; atMs: number }[] = [];
  const startMs = time.monotonicMs();
  const bus = await open({
    webhookSink: () =>
      sinkOf(([delivery]) => {
        attempts.push({ attempt: delivery!.attempt, atMs: time.monotonicMs() - startMs });
        return [outcomes[Math.min(attempts.length, outcomes.length) - 1]!];
      }),
  });
  const { id } = await bus.subscribe({ endpoint: 'https://a.example/', options: { retryPolicy, breaker } });
  await bus.publish({ ...(metadata ? { metadata } : {}) });
  await time.advance(3_600_000);
  return {
    attempts: attempts.map(({ attempt }) => attempt),
    waitsMs: attempts.slice(1).map(({ atMs }, at) => atMs - attempts[at]!.atMs),
    letters: await bus.deadLetters(id),
    status: bus.status(id),
    state: bus.engine.subscriptions.get({ id: 'x', kind: 'user' }, id).state,
  };
}

const retry: Outcome = { status: 'retry', error: ERROR };
const delivered: Outcome = { status: 'delivered' };

describe('what becomes of a delivery', () => {
  it('delivered: nothing is owed any more', async () => {
    const { attempts, status, letters } = await attemptsOf({ outcomes: [delivered] });
    expect([attempts, status.counts.delivered, status.owed, letters]).toEqual([[1], 1, 0, []]);
  });

  it('retry: three retries are four attempts, then it is a dead letter with every error', async () => {
    const { attempts, letters, status } = await attemptsOf({ outcomes: [retry] });
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(letters[0]).toMatchObject({ attempts: 4, reason: ERROR.message, round: 0, state: 'open' });
    expect(letters[0]!.errors.map(({ attempt, code }) => [attempt, code])).toEqual(
      [1, 2, 3, 4].map((attempt) => [attempt, 'http_503']),
    );
    expect(status).toMatchObject({ owed: 0, counts: { retried: 3, deadLettered: 1, delivered: 0 } });
  });

  it('retry, then delivered: no dead letter, and nothing owed', async () => {
    const { attempts, letters, status } = await attemptsOf({ outcomes: [retry, retry, delivered] });
    expect([attempts, letters, status.counts.delivered, status.owed]).toEqual([[1, 2, 3], [], 1, 0]);
  });

  const strategies: [string, Record<string, unknown>, number[]][] = [
    ['fixed', { backoffStrategy: 'fixed' }, [1000, 1000, 1000]],
    ['linear', { backoffStrategy: 'linear' }, [1000, 2000, 3000]],
    ['exponential', { backoffStrategy: 'exponential' }, [1000, 2000, 4000]],
    ['exponential up to maxDelay', { backoffStrategy: 'exponential', maxDelay: 2500 }, [1000, 2000, 2500]],
  ];
  for (const [name, policy, waitsMs] of strategies) {
    it(`waits between attempts as the policy says: ${name}`, async () => {
      const retryPolicy = { maxRetries: 3, initialDelay: 1000, jitter: false, ...policy };
      expect((await attemptsOf({ outcomes: [retry], retryPolicy })).waitsMs).toEqual(waitsMs);
    });
  }

  it('retry with afterMs: not before the receiver asked for it', async () => {
    const { waitsMs } = await attemptsOf({ outcomes: [{ ...retry, afterMs: 7_000 }, delivered] });
    expect(waitsMs).toEqual([7_000]);
  });

  it('busy: waits as asked and spends none of the retries', async () => {
    const busy: Outcome = { status: 'busy', afterMs: 5_000, error: ERROR };
    const { attempts, waitsMs, letters } = await attemptsOf({
      outcomes: [busy, busy, busy, retry, delivered],
      retryPolicy: fixedRetry(1),
    });
    expect([attempts, waitsMs, letters]).toEqual([[1, 2, 3, 4, 5], [5_000, 5_000, 5_000, 1_000], []]);
  });

  it('reject: a dead letter at once', async () => {
    const { attempts, letters } = await attemptsOf({ outcomes: [{ status: 'reject', error: ERROR }] });
    expect([attempts, letters.map((letter) => letter.reason)]).toEqual([[1], [ERROR.message]]);
  });

  it('gone: a dead letter, and the subscription stops until somebody resumes it', async () => {
    const { letters, state } = await attemptsOf({ outcomes: [{ status: 'gone', error: ERROR }] });
    expect([letters.length, state]).toEqual([1, 'stopped']);
  });

  it('the number of retries that the publisher wrote beats the policy, in both directions', async () => {
    expect((await attemptsOf({ outcomes: [retry], metadata: { maxRetries: 0 } })).attempts).toEqual([1]);
    expect((await attemptsOf({ outcomes: [retry], metadata: { maxRetries: 5 } })).attempts).toHaveLength(6);
    expect((await attemptsOf({ outcomes: [retry], metadata: { tags: ['a'] } })).attempts).toHaveLength(4);
  });

  it('keeps at most 1,024 characters of each error, also of the last', async () => {
    const error = { code: 'http_500', message: 'x'.repeat(5_000) };
    const { letters } = await attemptsOf({ outcomes: [{ status: 'retry', error }], retryPolicy: fixedRetry(1) });
    expect(letters[0]!.errors.map(({ message }) => message.length)).toEqual([1_024, 1_024]);
    expect(letters[0]!.reason).toHaveLength(1_024);
  });

  it('keeps the first and the latest errors of a long history', async () => {
    const { letters } = await attemptsOf({ outcomes: [retry], retryPolicy: fixedRetry(60, 10), breaker: false });
    const kept = letters[0]!.errors.map(({ attempt }) => attempt);
    expect([kept[0], kept.at(-1), letters[0]!.attempts]).toEqual([1, 61, 61]);
    expect(kept.length).toBeLessThanOrEqual(33);
  });
});
