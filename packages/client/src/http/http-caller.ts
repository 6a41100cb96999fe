/**
 * Requests over HTTP, repeated while the service is away or has too much to do, until `requestTimeoutMs` are used up.
 *
 * A refusal that says "try again" did nothing, so anything may be repeated after it. When there was no answer at all nobody
 * knows what was done: then only what may be done twice is repeated, and everything else ends as `unreachable`.
 */
import { EventManagerError, isEventManagerError, type Runtime } from '@event-manager/core/portable';
import { backoffMs } from '../backoff.ts';
import { boundedText } from './bounded-text.ts';
import { isObject } from './problem-error.ts';
import { responseError } from './response-error.ts';

const NO_CONTENT = 204;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/`; names in it are encoded. */
  readonly path: string;
  readonly query?: URLSearchParams;
  /** JSON text. */
  readonly body?: string;
  /** True when doing it twice is the same as doing it once. */
  readonly isRepeatable: boolean;
  /** Answers of this status are no errors. */
  readonly alsoFine?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The service may take so much longer before it answers. */
  readonly waitMs?: number | undefined;
  /** Gives it up, with `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpCallerOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly runtime: Runtime;
  readonly requestTimeoutMs: number;
}

export class HttpCaller {
  readonly #options: HttpCallerOptions;
  readonly #closing = new AbortController();

  constructor(options: HttpCallerOptions) {
    this.#options = options;
  }

  /** The JSON of the answer, `undefined` for none. Throws what the service says, `unreachable`, `closed`. */
  async call(request: HttpRequest): Promise<unknown> {
    const { runtime, requestTimeoutMs } = this.#options;
    const deadlineMs = runtime.clock.monotonicMs() + requestTimeoutMs + (request.waitMs ?? 0);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#try(request, deadlineMs);
      } catch (error) {
        if (!isEventManagerError(error)) throw error;
        // It was there when we asked first; that it is gone now is our own doing.
        if (tries > 1 && request.method === 'DELETE' && error.kind === 'not-found') return undefined;
        const waitMs = error.details.retryAfterMs ?? backoffMs(tries, runtime.chance);
        const isLate = runtime.clock.monotonicMs() + waitMs >= deadlineMs;
        if (isLate || !mayRepeat(request, error)) throw error;
        await this.#pause(waitMs);
      }
    }
  }

  /** Ends what is under way with `closed`. */
  close(): void {
    this.#closing.abort();
  }

  async #try(request: HttpRequest, deadlineMs: number): Promise<unknown> {
    const { signal } = this.#closing;
    if (signal.aborted) throw closed();
    if (request.signal?.aborted) throw aborted();
    const { clock, timers } = this.#options.runtime;
    const ending = new AbortController();
    const end = () => ending.abort();
    signal.addEventListener('abort', end);
    request.signal?.addEventListener('abort', end);
    const cancel = timers.after(Math.max(0, deadlineMs - clock.monotonicMs()), end, true);
    try {
      const { response, body } = await this.#fetch(request, ending.signal);
      const isFine = response.ok || response.status === request.alsoFine;
      // Every answer of the service with a body is an object; a page of whoever else listens there is not.
      if (isFine && (response.status === NO_CONTENT || isObject(body))) return body;
      throw responseError(response, body);
    } catch (error) {
      if (isEventManagerError(error)) throw error;
      if (signal.aborted) throw closed();
      if (request.signal?.aborted) throw aborted();
      throw new EventManagerError('unreachable', `${this.#options.url} gave no answer.`, {}, error);
    } finally {
      cancel();
      signal.removeEventListener('abort', end);
      request.signal?.removeEventListener('abort', end);
    }
  }

  async #fetch(request: HttpRequest, signal: AbortSignal): Promise<{ response: Response; body: unknown }> {
    const { method, path, query, body } = request;
    const search = query === undefined || query.size === 0 ? '' : `?${query}`;
    const response = await fetch(`${this.#options.url}${path}${search}`, {
      method,
      signal,
      headers: {
        accept: 'application/json, application/problem+json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await boundedText(response);
    return { response, body: text === '' ? undefined : parse(text) };
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.runtime.timers.after(delayMs, done, true);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}

function mayRepeat(request: HttpRequest, error: EventManagerError): boolean {
  return error.retryable && (request.isRepeatable || error.code !== 'unreachable');
}

function aborted(): EventManagerError {
  return new EventManagerError('aborted', 'The request was given up.');
}

function closed(): EventManagerError {
  return new EventManagerError('closed', 'The event manager is closed.');
}

/** What a proxy writes need not be JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
