import { ERROR_CODES, type ErrorCode, type ErrorDetails, EventManagerError } from '@event-manager/core/portable';

/** An error as the service writes it: a problem of HTTP (RFC 9457), or `error` in a frame. */
export interface ProblemFields {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly pointer?: unknown;
  readonly details?: unknown;
  readonly retryAfterMs?: unknown;
  readonly requestId?: unknown;
}

/** The error that the service meant, as an embedded event manager would have thrown it. */
export function problemError(problem: ProblemFields, facts: ErrorDetails = {}): EventManagerError {
  const { code, detail, pointer, retryAfterMs, requestId } = problem;
  const details: ErrorDetails = {
    ...facts,
    ...(isObject(problem.details) ? problem.details : {}),
    ...(typeof pointer === 'string' ? { pointer } : {}),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
  };
  const words = typeof detail === 'string' ? detail : 'The service refused without a reason.';
  if (isErrorCode(code)) return new EventManagerError(code, words, details);
  // A newer service may have codes that this client does not know.
  return new EventManagerError('internal', words, typeof code === 'string' ? { ...details, code } : details);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}
