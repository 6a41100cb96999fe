import type { Event, NackOptions, PulledDelivery, PullOptions } from '@event-manager/core';
import {
  type EventManagerError,
  isEventManagerError,
  type JsonObject,
  type LeaseAnswers,
  pulledDelivery,
  reviveEvent,
  type Timers,
} from '@event-manager/core/portable';
import type { HttpCaller } from './http-caller.ts';

interface Pulled {
  readonly deliveries: readonly {
    readonly delivery: string;
    readonly attempt: number;
    readonly leaseUntil: string;
    readonly event: object;
  }[];
}

/** Answers of one kind to deliveries of one subscription that leave together. */
interface Gathering {
  readonly body: JsonObject;
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
    const pulled = (await this.#post(request).catch(unlessAborted)) as Pulled;
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
        const { retry, afterMs, error } = options;
        const body = JSON.parse(JSON.stringify({ retry, afterMs, error })) as JsonObject;
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
    if (!gathering) {
      const tokens: string[] = [];
      const turn = new Promise<void>((resolve) => this.#timers.soon(resolve));
      const answer = turn.then(async () => {
        this.#gathering.delete(key);
        // A repeated answer is the same answer: what is done stays done.
        return (await this.#post({ path, body: { ...body, deliveries: tokens } })) as Answer;
      });
      gathering = { body, tokens, answer };
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

function isInTime(token: string, { stale }: Answer): boolean {
  return !stale.includes(token);
}

function pathOf(id: string): string {
  return `/subscriptions/${encodeURIComponent(id)}`;
}
