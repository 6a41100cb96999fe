import type { Event, NackOptions, PulledDelivery, PullOptions, ReplayMark } from '@event-manager/core';
import {
  EventManagerError,
  isEventManagerError,
  type JsonObject,
  type LeaseAnswers,
  pulledDelivery,
  reviveEvent,
  type Timers,
} from '@event-manager/core/portable';
import type { HttpCaller } from './http-caller.ts';
import { pathSegment } from './path-segment.ts';
import { isObject } from './problem-error.ts';

/** As many as the service takes in one request: more would be refused together. */
const TOKENS_MAX = 1_000;

interface Pulled {
  readonly deliveries: readonly {
    readonly delivery: string;
    readonly attempt: number;
    readonly replay?: ReplayMark;
    readonly leaseUntil: string;
    readonly event: object;
  }[];
}

/** Answers of one kind to deliveries of one subscription that leave together. */
interface Gathering {
  readonly tokens: string[];
  readonly answer: Promise<Answer>;
}

interface Answer {
  readonly stale: readonly string[];
  readonly leaseUntil?: string;
}

/** Pulling over HTTP. Answers that are given within one turn share a request. */
export class RemotePulls {
  readonly #http: HttpCaller;
  readonly #timers: Timers;
  readonly #gathering = new Map<string, Gathering>();

  constructor(http: HttpCaller, timers: Timers) {
    this.#http = http;
    this.#timers = timers;
  }

  async pull(id: string, { signal, ...wanted }: PullOptions): Promise<readonly PulledDelivery[]> {
    const { waitMs = 0 } = wanted;
    // What was lost on the way is leased and comes again: asking again does no harm.
    const request = { path: `${pathOf(id)}/pull`, body: wanted as JsonObject, waitMs, signal };
    const pulled = checked<Pulled>(await this.#post(request).catch(unlessAborted), isPulled);
    const answers = this.#answersTo(id);
    return pulled.deliveries.map(({ event, ...lease }) => {
      const revived: Event = reviveEvent(event);
      return pulledDelivery({ ...lease, event: revived }, answers);
    });
  }

  #answersTo(id: string): LeaseAnswers {
    return {
      ack: async (token) => isInTime(token, await this.#gather(id, 'ack', {}, token)),
      nack: async (token, options: NackOptions) => {
        const { retry, afterMs, error, metadata } = options;
        const body = JSON.parse(JSON.stringify({ retry, afterMs, error, metadata })) as JsonObject;
        return isInTime(token, await this.#gather(id, 'nack', body, token));
      },
      extend: async (token) => {
        const answer = await this.#gather(id, 'extend', {}, token);
        return isInTime(token, answer) ? answer.leaseUntil : undefined;
      },
    };
  }

  #gather(id: string, what: string, body: JsonObject, token: string): Promise<Answer> {
    const path = `${pathOf(id)}/${what}`;
    const key = `${path} ${JSON.stringify(body)}`;
    let gathering = this.#gathering.get(key);
    if (!gathering || gathering.tokens.length >= TOKENS_MAX) {
      const tokens: string[] = [];
      const turn = new Promise<void>((resolve) => this.#timers.soon(resolve));
      const answer = turn.then(async () => {
        if (this.#gathering.get(key)?.tokens === tokens) this.#gathering.delete(key);
        // A repeated answer is the same answer: what is done stays done.
        return checked<Answer>(await this.#post({ path, body: { ...body, deliveries: tokens } }), isAnswer);
      });
      gathering = { tokens, answer };
      this.#gathering.set(key, gathering);
    }
    gathering.tokens.push(token);
    return gathering.answer;
  }

  #post({ body, ...request }: { path: string; body: JsonObject; waitMs?: number; signal?: AbortSignal | undefined }) {
    return this.#http.call({ method: 'POST', ...request, isRepeatable: true, body: JSON.stringify(body) });
  }
}

function unlessAborted(error: EventManagerError): Pulled {
  if (isEventManagerError(error, 'aborted')) return { deliveries: [] };
  throw error;
}

/** Anything may answer where the service is expected. */
function checked<Body>(body: unknown, isRight: (body: Readonly<Record<string, unknown>>) => boolean): Body {
  if (isObject(body) && isRight(body)) return body as Body;
  throw new EventManagerError('internal', 'The answer does not come from an event manager.');
}

function isPulled({ deliveries }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(deliveries) && deliveries.every(isDelivery);
}

function isDelivery(entry: unknown): boolean {
  if (!isObject(entry)) return false;
  const { delivery, attempt, leaseUntil, event } = entry;
  const isLease = typeof delivery === 'string' && Number.isSafeInteger(attempt) && typeof leaseUntil === 'string';
  return isLease && isObject(event) && typeof event['id'] === 'string' && isObject(event['metadata']);
}

function isAnswer({ stale }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(stale);
}

function isInTime(token: string, { stale }: Answer): boolean {
  return !stale.includes(token);
}

function pathOf(id: string): string {
  return `/subscriptions/${pathSegment(id)}`;
}
