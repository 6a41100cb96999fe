import {
  type DeadLetter,
  type DeliveryContext,
  type EventManager,
  type HandlerAnswer,
  systemRuntime,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'shop' };
const AT_ONCE = { initialDelay: 1, maxDelay: 1, jitter: false };

export function handlingConformance(start: StartEventManager): void {
  describe('handlers', () => {
    outcomes(start);
    turns(start);
    company(start);
  });
}

function outcomes(start: StartEventManager): void {
  it.each([
    ['returns nothing', () => undefined],
    ['returns success', () => ({ success: true })],
    ['resolves', async () => {}],
  ] as [string, () => HandlerAnswer][])('have delivered when one %s', async (_what, answer) => {
    const { events } = await start();
    const calls = await received(events, answer, { maxRetries: 3, ...AT_ONCE });
    const { id } = await events.publish(EVENT);
    await until('it arrives', () => calls.length === 1);
    expect(calls).toMatchObject([{ id, attempt: 1 }]);
    expect(await lettersWhen(events, 0)).toEqual([]);
  });

  it.each([
    ['throws', () => fail('no')],
    ['rejects', async () => fail('no')],
    ['says so', () => ({ success: false, error: new TypeError('no') })],
  ] as [string, () => HandlerAnswer][])(
    'are tried again when one %s, and are a dead letter at last',
    async (_what, answer) => {
      const { events } = await start();
      const calls = await received(events, answer, { maxRetries: 2, ...AT_ONCE });
      const { id } = await events.publish(EVENT);
      const [letter] = await lettersWhen(events, 1);
      expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      expect(letter).toMatchObject({ eventId: id, state: 'open', attempts: 3, reason: 'TypeError: no' });
      expect(letter!.errors.map(({ code }) => code)).toEqual(Array(3).fill('handler_error'));
      expect(JSON.parse(letter!.event)).toMatchObject({ id });
      expect(await events.getDeadLetter(letter!.id)).toEqual(letter);
      expect(await events.listDeadLetters(letter!.subscriptionId)).toEqual([letter]);
    },
  );

  it('are not tried again when one says that it is of no use', async () => {
    const { events } = await start();
    const answer = () => ({ success: false, retry: false, error: 'never' });
    const calls = await received(events, answer, { maxRetries: 2, ...AT_ONCE });
    await events.publish(EVENT);
    expect(await lettersWhen(events, 1)).toMatchObject([{ attempts: 1, reason: 'never' }]);
    expect(calls).toHaveLength(1);
  });

  it('finds no dead letter that is not there', async () => {
    const { events } = await start();
    const missing = events.getDeadLetter('0198c0de-0000-7000-8000-00000000000a');
    await expect(missing).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });
}

function turns(start: StartEventManager): void {
  it('are told by the signal when their time is over, and are tried again', async () => {
    const { events } = await start();
    const signals: AbortSignal[] = [];
    let attempts = 0;
    await events.subscribe({
      topic: '#',
      options: { timeoutMs: 50, retryPolicy: { maxRetries: 3, ...AT_ONCE } },
      async handler(_event, { attempt, signal }) {
        attempts = attempt;
        signals.push(signal);
        if (attempt === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    await events.publish(EVENT);
    await until('it is tried again', () => attempts === 2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('are called one at a time and in order', async () => {
    const { events } = await start();
    const handled: unknown[] = [];
    let running = 0;
    let most = 0;
    await events.subscribe({
      topic: '#',
      async handler({ payload }) {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        handled.push(payload['number']);
      },
    });
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    await Promise.all(numbers.map((number) => events.publish({ ...EVENT, payload: { number } })));
    await until('all are handled', () => handled.length === numbers.length);
    expect({ most, handled }).toEqual({ most: 1, handled: numbers });
  });

  it('run as many at once as they are allowed to', async () => {
    const { events } = await start();
    const ends: (() => void)[] = [];
    await events.subscribe({
      topic: '#',
      options: { maxConcurrency: 3 },
      handler: () => new Promise<void>((resolve) => void ends.push(resolve)),
    });
    // In memory a publish waits for the first attempt.
    const publishing = Promise.all(Array.from({ length: 5 }, () => events.publish(EVENT)));
    await until('three run', () => ends.length === 3);
    for (const end of ends.splice(0)) end();
    await until('the other two run', () => ends.length === 2);
    for (const end of ends) end();
    await publishing;
  });
}

function company(start: StartEventManager): void {
  it('have a time of their own, however many wait before them', async () => {
    const { events } = await start();
    const attempts: number[] = [];
    await events.subscribe({
      topic: '#',
      options: { timeoutMs: 1_000, retryPolicy: AT_ONCE },
      async handler(_event, { attempt }) {
        attempts.push(attempt);
        await new Promise<void>((resolve) => void systemRuntime.timers.after(150, resolve, true));
      },
    });
    await Promise.all(Array.from({ length: 12 }, () => events.publish(EVENT)));
    await until('all are handled', () => attempts.length >= 12);
    expect(attempts).toEqual(Array(12).fill(1));
  });

  it('of batches get several events, and their answer holds for all', async () => {
    const { events } = await start();
    const sizes: number[] = [];
    let handled = 0;
    await events.subscribe({
      topic: '#',
      options: { batchSize: 10, startFrom: 'earliest', retryPolicy: { maxRetries: 1, ...AT_ONCE } },
      batchHandler(batch, contexts) {
        sizes.push(batch.length);
        expect(contexts.map(({ attempt }) => attempt)).toHaveLength(batch.length);
        handled += batch.length;
      },
    });
    await events.publishBatch(Array.from({ length: 25 }, () => EVENT));
    await until('all are handled', () => handled === 25);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(sizes.length).toBeLessThan(25);
  });

  it('may publish', async () => {
    const { events } = await start();
    const received: string[] = [];
    await events.subscribe({
      topic: 'a',
      handler: async (event) => void (await events.publish({ type: 'b', source: 's', causationId: event.id })),
    });
    await events.subscribe({ topic: 'b', handler: ({ causationId }) => void received.push(causationId!) });
    const { id } = await events.publish({ type: 'a', source: 's' });
    await until('the second arrives', () => received.length === 1);
    expect(received).toEqual([id]);
  });
}

interface Call extends Pick<DeliveryContext, 'attempt' | 'subscriptionId'> {
  readonly id: string;
}

async function received(events: EventManager, answer: () => HandlerAnswer, retryPolicy: object): Promise<Call[]> {
  const calls: Call[] = [];
  await events.subscribe({
    topic: '#',
    options: { retryPolicy },
    handler({ id }, { attempt, subscriptionId }) {
      calls.push({ id, attempt, subscriptionId });
      return answer();
    },
  });
  return calls;
}

async function lettersWhen(events: EventManager, count: number): Promise<readonly DeadLetter[]> {
  let letters: readonly DeadLetter[] = [];
  await until(`${count} dead letters`, async () => {
    letters = await events.listDeadLetters();
    return letters.length === count;
  });
  return letters;
}

function fail(words: string): never {
  throw new TypeError(words);
}
