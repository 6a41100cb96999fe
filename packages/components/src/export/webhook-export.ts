/**
 * Posts events in batches, one request after the other.
 *
 *     waiting ── full, or some time passed ──▶ under way ── 2xx ──▶ exported
 *                                                 │ ▲
 *                                     retry after │ │ a growing wait, at most `webhookMaxRetries` times
 *                                                 ▼ │
 *                                               failed ── spent, or refused for good ──▶ lost and counted
 *
 * A batch keeps its id over retries, so a receiver that has it already can tell. What waits is bounded; beyond that the newest is
 * lost and counted. A crash loses what waits.
 */
import { createHash } from 'node:crypto';
import type { Cancel } from '@event-manager/core';
import {
  type AddressGuard,
  addressGuard,
  checkEndpoint,
  networkFailure,
  type ResolveAddresses,
  readSecret,
  type Sender,
  sign,
  webhookSender,
} from '@event-manager/webhook';
import type { ExportConfiguration } from '../configuration/events-configuration.ts';
import { outsideOfFlows } from '../observe/flow.ts';
import type { Export, ExportParts, ExportStatus } from './export.ts';
import type { ExportedEvent } from './exported-event.ts';

const GATHER_MS = 1_000;
const ATTEMPT_MS_MAX = 10_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
const WAITING_MAX = 10_000;
/** Answers that say "not now"; any other below 500 says that the same request will not be taken later either. */
const LATER = new Set([408, 425, 429]);

export interface WebhookExportOptions extends ExportParts {
  readonly settings: ExportConfiguration;
  readonly resolve: ResolveAddresses | undefined;
}

export class WebhookExport implements Export {
  readonly #options: WebhookExportOptions;
  readonly #url: URL;
  readonly #keys: readonly Uint8Array[];
  readonly #guard: AddressGuard;
  readonly #ended = new AbortController();
  #sender: Sender | undefined;
  #waiting: string[] = [];
  #waitingIds: string[] = [];
  #underWay = 0;
  #cancelGather: Cancel | undefined;
  #isSending = false;
  #isFailing = false;
  readonly #counts = { exported: 0, failed: 0 };
  readonly #idle = new Set<() => void>();

  /** Throws `invalid_endpoint`, `endpoint_blocked`, `invalid_setting`, and `invalid_subscription` for a secret that is none. */
  constructor(options: WebhookExportOptions) {
    const { webhook, webhookSecret, webhookAllow } = options.settings;
    this.#options = options;
    this.#guard = addressGuard({ allow: webhookAllow });
    this.#url = checkEndpoint(webhook!, this.#guard);
    this.#keys = webhookSecret === undefined ? [] : [readSecret(webhookSecret)];
  }

  write(event: ExportedEvent): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(event.text(false));
    this.#waitingIds.push(event.event.id);
    if (this.#isSending) return;
    const isFull = this.#waiting.length >= this.#options.settings.webhookBatchSize;
    outsideOfFlows(() => (isFull ? this.#start() : this.#gather()));
  }

  flush(): Promise<void> {
    if (!this.#isSending && this.#waiting.length === 0) return Promise.resolve();
    const flushed = new Promise<void>((resolve) => this.#idle.add(resolve));
    this.#start();
    return flushed;
  }

  abandon(): number {
    const left = this.#waiting.length + this.#underWay;
    this.#lose(this.#waiting.length);
    [this.#waiting, this.#waitingIds] = [[], []];
    this.#ended.abort();
    return left;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#cancelGather?.();
    await this.#sender?.close();
  }

  status(): ExportStatus {
    // What stands behind the path, and user names, may be what lets somebody in.
    return { to: this.#url.origin, ...this.#counts, failing: this.#isFailing };
  }

  #gather(): void {
    this.#cancelGather ??= this.#options.runtime.timers.after(GATHER_MS, () => this.#start(), true);
  }

  #start(): void {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const { webhookBatchSize } = this.#options.settings;
      const bodies = this.#waiting.splice(0, webhookBatchSize);
      const ids = this.#waitingIds.splice(0, webhookBatchSize);
      this.#underWay = bodies.length;
      const failure = await this.#sendBatch(Buffer.from(`{"events":[${bodies.join(',')}]}`), batchId(ids));
      this.#underWay = 0;
      this.#settle(bodies.length, failure);
    }
    this.#isSending = false;
    for (const tell of this.#idle) tell();
    this.#idle.clear();
  }

  /** Resolves with the last failure when every retry was spent. */
  async #sendBatch(body: Uint8Array, id: string): Promise<string | undefined> {
    const { webhookMaxRetries } = this.#options.settings;
    for (let attempt = 0; ; attempt++) {
      const { failure, isFinal } = await this.#attempt(body, id);
      if (failure === undefined) return undefined;
      if (isFinal || attempt >= webhookMaxRetries || this.#ended.signal.aborted) return failure;
      await this.#wait(Math.min(RETRY_MS_MIN * 2 ** attempt, RETRY_MS_MAX));
    }
  }

  async #attempt(body: Uint8Array, id: string): Promise<{ failure?: string; isFinal?: boolean }> {
    const { clock, timers } = this.#options.runtime;
    const late = new AbortController();
    const cancel = timers.after(ATTEMPT_MS_MAX, () => late.abort());
    const timestampSeconds = Math.floor(clock.wallMs() / 1_000);
    const headers = {
      'user-agent': 'EventManager',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      ...sign({ id, timestampSeconds, body }, this.#keys),
    };
    try {
      const signal = AbortSignal.any([late.signal, this.#ended.signal]);
      const { status } = await this.#senderNow().post({ url: this.#url, headers, body, signal });
      if (status >= 200 && status < 300) return {};
      return { failure: `http_${status}`, isFinal: status < 500 && !LATER.has(status) };
    } catch (error) {
      if (late.signal.aborted) return { failure: 'timeout' };
      const { code = 'failed' } = networkFailure(error) ?? {};
      return { failure: code, isFinal: code === 'endpoint_blocked' };
    } finally {
      cancel();
    }
  }

  #senderNow(): Sender {
    const { resolve } = this.#options;
    this.#sender ??= webhookSender({ guard: this.#guard, ...(resolve ? { resolve } : {}) });
    return this.#sender;
  }

  /** Half of the wait is by chance, so that the instances of a program do not come back together. Ends with the export. */
  #wait(waitMs: number): Promise<void> {
    const { timers, chance } = this.#options.runtime;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = timers.after((waitMs / 2) * (1 + chance.fraction()), resolve, true);
    const { signal } = this.#ended;
    const end = () => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return promise.finally(() => signal.removeEventListener('abort', end));
  }

  #settle(events: number, failure: string | undefined): void {
    if (failure === undefined) {
      this.#counts.exported += events;
      this.#options.counter.exported(events);
    } else {
      this.#lose(events);
    }
    const isFailing = failure !== undefined;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    const to = this.#url.origin;
    this.#options.report(
      isFailing
        ? { code: 'export_failed', text: `Events cannot be exported to ${to} (${failure}): ${adviceOf(failure)}` }
        : { code: 'export_recovered', text: `Events are exported to ${to} again.` },
    );
  }

  #lose(events: number): void {
    this.#counts.failed += events;
    this.#options.counter.failed('export', events);
  }
}

/** Throws `invalid_subscription`. */
export function assertWebhookSecret(secret: string): void {
  readSecret(secret);
}

function adviceOf(failure: string): string {
  return failure === 'endpoint_blocked'
    ? 'its address may not be called; name it in webhook_allow if it may.'
    : 'the components go on without it.';
}

/** Named after what is in it: the same at each retry. */
function batchId(ids: readonly string[]): string {
  return `batch_${createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 32)}`;
}
