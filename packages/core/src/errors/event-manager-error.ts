import { ERROR_CODES, type ErrorCode, type ErrorKind } from './codes.ts';

/** Facts about an error for programs: never a secret, a path of the machine or a stack. */
export interface ErrorDetails {
  /** JSON pointer (RFC 6901) to the place in the input that is wrong. */
  readonly pointer?: string;
  /** How long to wait before trying again, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly [fact: string]: unknown;
}

/** The one error class of the product. Branch on `code` or `kind`, never on the message. */
export class EventManagerError extends Error {
  override readonly name = 'EventManagerError';
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.kind = ERROR_CODES[code].kind;
    this.retryable = ERROR_CODES[code].retryable;
    this.details = details;
  }
}

/** True when `error` is an `EventManagerError`, of the given code if one is named. */
export function isEventManagerError(error: unknown, code?: ErrorCode): error is EventManagerError {
  return error instanceof EventManagerError && (code === undefined || error.code === code);
}
