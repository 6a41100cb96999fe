import { ANONYMOUS, decodeEvent, type Outcome, type Sink } from '@event-manager/core';
import { durableWorld, type EngineUnderTest, sinkOf } from '../../open-engine.ts';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const ERROR = { code: 'http_500', message: 'no' };
export const failure: Outcome = { status: 'retry', error: ERROR };
export const delivered: Outcome = { status: 'delivered' };
export const endpoint = 'https://a.example/hook';

/** A receiver that answers as it is told, and when it was asked. */
function aReceiver() {
  const receiver = {
    answer: delivered as Outcome,
    asked: [] as { atMs: number; n: unknown; attempt: number }[],
    /** Answers wait for this. */
    gate: undefined as Promise<void> | undefined,
  };
  return receiver;
}

/** A webhook on a bus of its own, and what it was asked. */
export async function aBus(options: Record<string, unknown> = {}) {
  const world = durableWorld();
  const receiver = aReceiver();
  const deliver: Sink['deliver'] = async (batch) => {
    for (const { record, attempt } of batch) {
      const atMs = world.time.monotonicMs();
      receiver.asked.push({ atMs, n: decodeEvent(record.body).payload['n'], attempt });
    }
    const { answer } = receiver;
    await receiver.gate;
    return batch.map(() => answer);
  };
  const open = () => world.open({ systemEvents: true, webhookSink: () => sinkOf(deliver) });
  const bus = await open();
  const { id } = await bus.subscribe({ name: 'hook', topic: 'a', endpoint, options });
  return { ...world, receiver, bus, id, open };
}

/** Topics and payloads of what the bus told of subscriptions. */
export async function told(bus: EngineUnderTest) {
  const request = { limit: 1_000, direction: 'forward' } as const;
  const { records } = await bus.time.run(bus.engine.history.find(ANONYMOUS, { topic: '$sys/subscription/#' }, request));
  return records.map(({ topic, body }) => ({
    topic: topic.slice('$sys/subscription/'.length),
    ...decodeEvent(body).payload,
  }));
}

export const stateOf = (bus: EngineUnderTest, id: string) => bus.engine.subscriptions.get(ANONYMOUS, id);
