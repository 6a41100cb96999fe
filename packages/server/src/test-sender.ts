import {
  createEventIdSource,
  DEFAULT_LIMITS,
  EventManagerError,
  normalize,
  type Outcome,
  type Recorded,
  type Runtime,
  type Sink,
  type SubscriptionDefinition,
  SYSTEM,
} from '@event-manager/core';
import type { TestOutcome, WebhookSinkDefinition } from './operations/operation-context.ts';

/** Whoever waits for the answer of a test does not want to wait for as long as a delivery may. */
const TIMEOUT_MS_MAX = 30_000;
/** A test makes this service call somebody: so many at once are enough for people. */
const UNDER_WAY_MAX = 16;

export interface TestSenderOptions {
  readonly runtime: Runtime;
  /** Makes a sink like the one of the deliveries, which also tells the status of an answer. */
  readonly makeSink: (sink: WebhookSinkDefinition, batch: boolean, onStatus: (status: number) => void) => Sink;
}

/** Makes what sends a webhook an event that is stored nowhere, by a sink like the one of its deliveries. */
export function testSender(options: TestSenderOptions): (definition: SubscriptionDefinition) => Promise<TestOutcome> {
  const nextId = createEventIdSource(options.runtime);
  let underWay = 0;
  return async (definition) => {
    if (underWay >= UNDER_WAY_MAX) {
      throw new EventManagerError('overloaded', `${underWay} tests are under way already.`, { retryAfterMs: 1_000 });
    }
    underWay++;
    try {
      return await sendTest(definition, testEvent(definition, nextId, options.runtime), options);
    } finally {
      underWay--;
    }
  };
}

async function sendTest(
  definition: SubscriptionDefinition,
  record: Recorded,
  { makeSink, runtime }: TestSenderOptions,
): Promise<TestOutcome> {
  const { clock, timers } = runtime;
  const { sink, options } = definition;
  if (sink.kind !== 'webhook') throw new TypeError('Only a webhook can be sent a test event.');
  const startedMs = clock.monotonicMs();
  const timeoutMs = Math.min(options.timeoutMs, TIMEOUT_MS_MAX);
  const ended = new AbortController();
  const cancel = timers.after(timeoutMs, () => ended.abort());
  let httpStatus: number | undefined;
  let outcome: Outcome | undefined;
  try {
    const made = makeSink(sink, options.batchSize > 1, (status) => {
      httpStatus = status;
    });
    const delivery = { record, subscriptionId: definition.id, attempt: 1 };
    const how = { signal: ended.signal, deadlineAtMs: startedMs + timeoutMs };
    [outcome] = await made.deliver([delivery], how);
  } catch (error) {
    // Settings that changed since the subscription was made may block its endpoint: that is what a test is to find out.
    if (!(error instanceof EventManagerError)) throw error;
    outcome = { status: 'retry', error: { code: error.code, message: error.message } };
  } finally {
    cancel();
  }
  const durationMs = Math.round(clock.monotonicMs() - startedMs);
  return { ...verdict(outcome), ...(httpStatus === undefined ? {} : { httpStatus }), durationMs };
}

function verdict(outcome: Outcome | undefined): Pick<TestOutcome, 'status' | 'error'> {
  if (outcome?.status === 'delivered') return { status: 'delivered' };
  const error = outcome && 'error' in outcome ? outcome.error : undefined;
  return error === undefined ? { status: 'failed' } : { status: 'failed', error };
}

/** In the tree of the bus itself, so that no receiver takes it for an event of its own. */
function testEvent({ id: subscriptionId }: SubscriptionDefinition, nextId: () => string, runtime: Runtime): Recorded {
  const nowMs = runtime.clock.wallMs();
  const event = {
    type: 'subscription.test',
    topic: '$sys/subscription/test',
    source: 'event-manager',
    metadata: { test: true },
    payload: { subscriptionId },
  };
  const made = normalize(event, { principal: SYSTEM, limits: DEFAULT_LIMITS, nextId, nowMs });
  return { ...made, place: { partition: 0, position: 0 }, recordedAtMs: nowMs };
}
