import {
  batchHandlerSink,
  type Delivery,
  type EventHandler,
  handlerSink,
  type Outcome,
  type Sink,
} from '@event-manager/core';
import { sampleEvent } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';
import { callingAttempt } from '../../src/sink/handler-calls.ts';

function deliveryOf(n: number, attempt = 1): Delivery {
  const record = { ...sampleEvent(n), place: { partition: 0, position: n }, recordedAtMs: 1 };
  return { record, subscriptionId: 's', attempt };
}

function deliverTo(sink: Sink, batch: Delivery[] = [deliveryOf(1)], signal = new AbortController().signal) {
  return sink.deliver(batch, { signal, deadlineAtMs: 0 });
}

const failure = (message: string): Outcome => ({ status: 'retry', error: { code: 'handler_error', message } });

describe('a handler', () => {
  const answers: [string, EventHandler, Outcome][] = [
    ['says nothing: delivered', () => {}, { status: 'delivered' }],
    ['says success: delivered', () => ({ success: true }), { status: 'delivered' }],
    ['reports a failure: tried again', () => ({ success: false }), failure('The handler reported a failure.')],
    ['reports an error: kept', () => ({ success: false, error: new RangeError('far') }), failure('RangeError: far')],
    ['reports a text as error: kept', () => ({ success: false, error: 'busy' }), failure('busy')],
    [
      'wants no retry: dead letter at once',
      () => ({ success: false, error: 'bad', retry: false }),
      { status: 'reject', error: { code: 'handler_error', message: 'bad' } },
    ],
    [
      'throws: tried again',
      () => {
        throw new TypeError('oh');
      },
      failure('TypeError: oh'),
    ],
  ];
  for (const [what, handler, outcome] of answers) {
    it(`that ${what}; the same when it answers by a promise`, async () => {
      expect(deliverTo(handlerSink(handler))).toEqual([outcome]);
      expect(await deliverTo(handlerSink(async (event, context) => handler(event, context)))).toEqual([outcome]);
    });
  }

  it('may answer with a promise that is not one of ours: its failure counts', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library is what it stands for.
    const foreign = { then: (_: unknown, reject: (error: Error) => void) => reject(new Error('no row')) };
    expect(await deliverTo(handlerSink(() => foreign as never))).toEqual([failure('Error: no row')]);
  });

  it('is told attempt, subscription and signal, and gets a frozen event', () => {
    const { signal } = new AbortController();
    let told: unknown[] = [];
    const sink = handlerSink((event, context) => {
      told = [event.id, Object.isFrozen(event.payload), context.subscriptionId, context.attempt, context.signal];
    });
    deliverTo(sink, [deliveryOf(1, 3)], signal);
    expect(told).toEqual([sampleEvent(1).id, true, 's', 3, signal]);
  });

  it('runs where a publish can tell that it must not wait for it, and nothing after it does', async () => {
    let inside: unknown[] = [];
    const sink = handlerSink(async () => {
      inside = [callingAttempt()];
      await Promise.resolve();
      inside.push(callingAttempt());
    });
    const attempt = { signal: new AbortController().signal, deadlineAtMs: 0 };
    await sink.deliver([deliveryOf(1)], attempt);
    expect([...inside, callingAttempt()]).toEqual([attempt, attempt, undefined]);
  });
});

describe('a batch handler', () => {
  it('gets all events with their contexts in one call, and its answer holds for all', () => {
    const calls: unknown[] = [];
    const sink = batchHandlerSink((events, contexts) => {
      calls.push(events.map((event, at) => [event.id, contexts[at]!.attempt]));
      return { success: false, error: 'full' };
    });
    const outcomes = deliverTo(sink, [deliveryOf(1), deliveryOf(2)]);
    expect(calls).toEqual([[1, 2].map((n) => [sampleEvent(n).id, 1])]);
    expect(outcomes).toEqual([failure('full'), failure('full')]);
  });
});
