import type { DeliverOptions, Delivery, Outcome, Runtime, Sink } from '@event-manager/core';
import type { AddressGuard } from './address/address-guard.ts';
import { checkEndpoint } from './address/check-endpoint.ts';
import { extraHeaders } from './send/extra-headers.ts';
import { isUnreached, networkFailure } from './send/network-failure.ts';
import { batchBody, batchId } from './send/request-body.ts';
import { responseOutcome } from './send/response-outcome.ts';
import { type Sender, webhookSender } from './send/sender.ts';
import { readSecret } from './signature/secret.ts';
import { sign } from './signature/sign.ts';

export interface WebhookSinkOptions {
  readonly endpoint: string;
  /** `whsec_…`; during a rotation the new and the old one. Without a secret requests are not signed. */
  readonly secret?: string | readonly string[] | undefined;
  /** Sent with each request, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** True: every request is `{"events":[…]}`, also for one event. False: one event per request, as it is stored. */
  readonly batch?: boolean | undefined;
  readonly runtime: Pick<Runtime, 'clock'>;
  readonly guard: AddressGuard;
  /** Shared by the sinks of a process, and closed by whoever made it. Without it the sink has its own. */
  readonly sender?: Sender | undefined;
}

/** Timers count whole milliseconds, so one may fire a little before its time. */
const TIMER_EARLY_MS = 10;

interface Content {
  readonly id: string;
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly subscriptionId: string;
  readonly replay: Delivery['replay'];
}

/** Delivers by HTTP POST, signed as Standard Webhooks 1.0 says. Throws `invalid_endpoint`, `endpoint_blocked`, `invalid_subscription`. */
export function webhookSink(options: WebhookSinkOptions): Sink {
  const { runtime, guard } = options;
  const url = checkEndpoint(options.endpoint, guard);
  const keys = [options.secret ?? []].flat().map(readSecret);
  const extra = extraHeaders(options.headers ?? {});
  const sender = options.sender ?? webhookSender({ guard });

  async function post(content: Content, { signal, deadlineAtMs }: DeliverOptions): Promise<Outcome> {
    const timestampSeconds = Math.floor(runtime.clock.wallMs() / 1000);
    const headers = {
      'user-agent': 'EventManager',
      ...extra,
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'event-manager-attempt': String(content.attempt),
      'event-manager-subscription': content.subscriptionId,
      ...(content.replay ? { 'event-manager-replay': content.replay.id } : {}),
      ...sign({ id: content.id, timestampSeconds, body: content.body }, keys),
    };
    try {
      const response = await sender.post({ url, headers, body: content.body, signal });
      return responseOutcome(response, runtime.clock.wallMs());
    } catch (error) {
      if (signal.aborted)
        return { status: 'retry', error: abortFailure(runtime.clock.monotonicMs() >= deadlineAtMs - TIMER_EARLY_MS) };
      const failure = networkFailure(error);
      if (failure === undefined) throw error;
      return { status: 'retry', error: failure, ...(isUnreached(failure.code) ? { unreached: true } : {}) };
    }
  }

  return {
    async deliver(batch, deliverOptions) {
      if (options.batch !== true) return Promise.all(batch.map((delivery) => post(single(delivery), deliverOptions)));
      const outcome = await post(together(batch), deliverOptions);
      return batch.map(() => outcome);
    },
    async close() {
      if (options.sender === undefined) await sender.close();
    },
  };
}

function single({ record, attempt, subscriptionId, replay }: Delivery): Content {
  return { id: record.id, body: record.body, attempt, subscriptionId, replay };
}

function together(batch: readonly Delivery[]): Content {
  const attempt = Math.max(...batch.map((delivery) => delivery.attempt));
  const { subscriptionId, replay } = batch[0]!;
  return { id: batchId(batch), body: batchBody(batch), attempt, subscriptionId, replay };
}

function abortFailure(late: boolean): { code: string; message: string } {
  return late
    ? { code: 'timeout', message: 'The receiver did not answer in time.' }
    : { code: 'aborted', message: 'The attempt was ended before the receiver answered.' };
}
