import type { Delivery, Outcome, Sink, SubscriptionDefinition } from '@event-manager/core';
import { type DialledWebSocketsOptions, dialledWebSockets } from '@event-manager/realtime';
import { addressGuard } from '@event-manager/webhook';
import { onTestFinished } from 'vitest';

export const SECRET = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';

export interface SinkSetUp extends DialledWebSocketsOptions {
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly heartbeatMs?: number;
  readonly reconnectAttempts?: number;
  readonly bufferSize?: number;
  readonly compression?: boolean;
}

/** The way out to `endpoint`, without an engine. */
export function sinkTo(endpoint: string, setUp: SinkSetUp = {}): Sink {
  const { guard = addressGuard({ allow: ['loopback'] }), resolve, runtime, ...given } = setUp;
  const more = { ...(resolve ? { resolve } : {}), ...(runtime ? { runtime } : {}) };
  const usual = { heartbeatMs: 30_000, reconnectAttempts: 5, bufferSize: 100, compression: false };
  const sink = { kind: 'websocket', endpoint, ...usual, ...given } as const;
  const definition = { id: 'the-subscription', topic: '#', name: 'test', sink } as unknown as SubscriptionDefinition;
  const made = dialledWebSockets({ guard, ...more })(definition);
  onTestFinished(() => made.close());
  return made;
}

let positions = 0;

export function delivery(payload: object = {}): Delivery {
  const position = ++positions;
  const id = `0198c0de-0000-7000-8000-${String(position).padStart(12, '0')}`;
  const event = { id, type: 'a', source: 's', timestamp: '2026-11-20T08:00:00.000Z', metadata: { tags: [] }, payload };
  const body = Buffer.from(JSON.stringify(event));
  const record = { id, place: { partition: 0, position }, recordedAtMs: 0, topic: 'a', lane: 2, flags: 0, body };
  return { record, subscriptionId: 'the-subscription', attempt: 1 } as unknown as Delivery;
}

/** Hands deliveries over as the engine does, with so long to answer from `nowMs` on, which is that of the sink's clock. */
export function deliver(
  sink: Sink,
  batch: readonly Delivery[],
  withinMs = 30_000,
  nowMs = performance.now(),
): Promise<readonly Outcome[]> {
  const deadlineAtMs = nowMs + withinMs;
  return Promise.resolve(sink.deliver(batch, { signal: new AbortController().signal, deadlineAtMs }));
}
