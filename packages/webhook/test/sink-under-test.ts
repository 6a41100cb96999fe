import { type DeliverOptions, type Delivery, type Outcome, type Sink, systemRuntime } from '@event-manager/core';
import { onTestFinished } from 'vitest';
import { addressGuard } from '../src/address/address-guard.ts';
import { type SenderLimits, webhookSender } from '../src/send/sender.ts';
import { type WebhookSinkOptions, webhookSink } from '../src/webhook-sink.ts';

export interface SinkUnderTest {
  readonly sink: Sink;
  /** One attempt of these deliveries, ended after `timeoutMs`. */
  deliver(batch: readonly Delivery[], timeoutMs?: number): Promise<readonly Outcome[]>;
}

/** A sink that may call loopback, closed when the test ends. */
export function sinkUnderTest(
  endpoint: string,
  options: Partial<WebhookSinkOptions> = {},
  limits: Partial<SenderLimits> = {},
): SinkUnderTest {
  const guard = addressGuard({ allow: ['loopback'] });
  const sender = webhookSender({ guard, limits });
  onTestFinished(() => sender.close());
  const sink = webhookSink({ endpoint, runtime: systemRuntime, guard, sender, ...options });
  return {
    sink,
    async deliver(batch, timeoutMs = 10_000) {
      return sink.deliver(batch, within(timeoutMs));
    },
  };
}

export function within(timeoutMs: number): DeliverOptions {
  return { signal: AbortSignal.timeout(timeoutMs), deadlineAtMs: performance.now() + timeoutMs };
}

let made = 0;

/** A delivery whose event has exactly these bytes. */
export function delivery(body: string, attempt = 1): Delivery {
  made += 1;
  const id = `0197f000-0000-7000-8000-${String(made).padStart(12, '0')}`;
  const record = {
    id,
    place: { partition: 0, position: made },
    recordedAtMs: 0,
    topic: 'a/b',
    lane: 2,
    flags: 0,
    body: Buffer.from(body),
  } as const;
  return { record, subscriptionId: 'subscription-1', attempt };
}
