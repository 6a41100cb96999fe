import { ERROR_CODES, type ErrorCode, EventManagerError } from '@event-manager/core';
import { HTTP_STATUS } from './status.ts';

export const PROBLEM_TYPE = 'application/problem+json';
const RETRY_AFTER_MS_DEFAULT = 1_000;

/** What went wrong, as RFC 9457 writes it, with the code, the place in the input and the request that it belongs to. */
export interface Problem {
  /** Names the kind of problem; it need not lead anywhere (RFC 9457, section 3.1.1). */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** JSON pointer into the body, or `/` and the name of the query parameter. */
  readonly pointer?: string;
  /** Further facts, such as the limit that was exceeded. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId: string;
}

/** What the one who runs the service has to do; the store that throws does not know how it is run. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  store_read_only: ' To repair it stop the service and run event-manager-journal repair on its data directory.',
  endpoint_blocked: ' It may when the setting EVENT_MANAGER_WEBHOOK_ALLOW names it.',
};

/** Never holds more of an internal failure than that there was one: the rest is in the log, under the same request id. */
export function problemOf(error: EventManagerError, requestId: string): Problem {
  const { code, kind, retryable } = error;
  const { pointer, ...facts } = error.details;
  const isInternal = kind === 'internal';
  const title = ERROR_CODES[code].meaning;
  return {
    type: `urn:event-manager:problem:${code}`,
    title,
    status: HTTP_STATUS[code],
    detail: isInternal ? title : `${error.message}${ADVICE[code] ?? ''}`,
    code,
    retryable,
    ...(pointer === undefined ? {} : { pointer }),
    ...(isInternal || Object.keys(facts).length === 0 ? {} : { details: facts }),
    requestId,
  };
}

/** The value of `Retry-After` in whole seconds, for errors that time may heal. */
export function retryAfterSeconds(error: EventManagerError): number | undefined {
  const { retryAfterMs } = error.details;
  const status = HTTP_STATUS[error.code];
  if (status !== 429 && status !== 503) return undefined;
  return Math.max(1, Math.ceil((retryAfterMs ?? RETRY_AFTER_MS_DEFAULT) / 1_000));
}

/** What the framework throws by itself, in the words of the product; everything else is a defect. */
export function errorOf(thrown: unknown): EventManagerError {
  if (thrown instanceof EventManagerError) return thrown;
  // Anything can be thrown, also nothing.
  const { code, statusCode } = Object(thrown) as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new EventManagerError('unsupported_media_type', 'The body of this request must be application/json.');
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new EventManagerError('invalid_request', 'The request cannot be read.', {}, thrown);
  }
  return new EventManagerError('internal', 'Something failed inside the service.', {}, thrown);
}
