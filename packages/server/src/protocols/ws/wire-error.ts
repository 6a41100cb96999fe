import { errorOf, problemOf } from '../http/problem.ts';
import { HTTP_STATUS } from '../http/status.ts';

const RETRY_AFTER_MS_DEFAULT = 1_000;

/** An error as a frame carries it: what HTTP says of it, without what only HTTP has. */
export interface WireError {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  readonly pointer?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
}

/** Never holds more of an internal failure than that there was one. */
export function wireError(thrown: unknown): WireError {
  const error = errorOf(thrown);
  const { code, detail, retryable, pointer, details } = problemOf(error, '');
  const { retryAfterMs = RETRY_AFTER_MS_DEFAULT, ...facts } = (details ?? {}) as { retryAfterMs?: number };
  const heals = HTTP_STATUS[error.code] === 429 || HTTP_STATUS[error.code] === 503;
  return {
    code,
    detail,
    retryable,
    ...(pointer === undefined ? {} : { pointer }),
    ...(Object.keys(facts).length === 0 ? {} : { details: facts }),
    ...(heals ? { retryAfterMs } : {}),
  };
}
