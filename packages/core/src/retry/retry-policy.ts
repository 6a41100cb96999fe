import { EventManagerError } from '../errors/event-manager-error.ts';
import { type ReadFields, readFields } from '../json/read-fields.ts';
import type { Chance } from '../runtime/chance.ts';
import { RETRY_FIELDS } from './retry-fields.ts';

/** When a failed delivery is tried again. The names are those of the specification; delays are milliseconds. */
export interface RetryPolicy {
  /** Retries after the first attempt: 3 retries are 4 attempts. */
  readonly maxRetries: number;
  /** Growth of the delay with each failure: none, by the initial delay, or doubled. */
  readonly backoffStrategy: 'fixed' | 'linear' | 'exponential';
  readonly initialDelay: number;
  readonly maxDelay: number;
  /** Spreads retries so that what failed together does not come back together. */
  readonly jitter: boolean;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = Object.freeze({
  maxRetries: 3,
  backoffStrategy: 'exponential',
  initialDelay: 1_000,
  maxDelay: 30_000,
  jitter: true,
});

const RETRIES_MAX = 1_000;
/** A week: what waits longer is better redriven by a person. Also bounds what a receiver may ask for by Retry-After. */
const DELAY_MS_MAX = 7 * 24 * 60 * 60 * 1_000;

/** Reads a retry policy; what is not given comes from the default. Throws `invalid_subscription` with `details.pointer`. */
export function parseRetryPolicy(input: unknown, pointer: string): RetryPolicy {
  const fields = readFields(input, RETRY_FIELDS, { code: 'invalid_subscription', pointer });
  const initialDelay = readWhole(fields, 'initialDelay', DEFAULT_RETRY_POLICY.initialDelay, DELAY_MS_MAX);
  const policy: RetryPolicy = {
    maxRetries: readWhole(fields, 'maxRetries', DEFAULT_RETRY_POLICY.maxRetries, RETRIES_MAX),
    backoffStrategy: readStrategy(fields),
    initialDelay,
    // A longer first delay alone must not be a contradiction to a limit that nobody wrote.
    maxDelay: readWhole(fields, 'maxDelay', Math.max(DEFAULT_RETRY_POLICY.maxDelay, initialDelay), DELAY_MS_MAX),
    jitter: readFlag(fields, 'jitter', DEFAULT_RETRY_POLICY.jitter),
  };
  if (policy.maxDelay < policy.initialDelay) {
    throw invalid('maxDelay is smaller than initialDelay.', fields.pointer('maxDelay'));
  }
  return policy;
}

/**
 * How long to wait before the retry after the `failures`-th failure (1 for the first). With jitter the wait is spread evenly
 * between half and the whole of the delay: full jitter would let some retries follow at once, and a receiver in trouble
 * needs the pause. `afterMs` is what the receiver asked for (Retry-After): the longer of the two wins, up to a week.
 */
export function delayBeforeRetryMs(policy: RetryPolicy, failures: number, chance: Chance, afterMs = 0): number {
  const delayMs = Math.min(policy.maxDelay, growth(policy.backoffStrategy, failures) * policy.initialDelay);
  const spreadMs = policy.jitter ? delayMs * (0.5 + chance.fraction() / 2) : delayMs;
  return Math.round(Math.max(spreadMs, Math.min(afterMs, DELAY_MS_MAX)));
}

function growth(strategy: RetryPolicy['backoffStrategy'], failures: number): number {
  if (strategy === 'fixed') return 1;
  // 2 ** 1023 is the last finite power; the policy's limit is reached long before.
  return strategy === 'linear' ? failures : 2 ** Math.min(failures - 1, 1_000);
}

function readWhole(fields: ReadFields, name: string, fallback: number, max: number): number {
  const value = fields.get(name);
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value + 0;
  throw invalid(`A whole number from 0 to ${max} is expected.`, fields.pointer(name));
}

function readStrategy(fields: ReadFields): RetryPolicy['backoffStrategy'] {
  const value = fields.get('backoffStrategy');
  if (value === undefined) return DEFAULT_RETRY_POLICY.backoffStrategy;
  if (value === 'fixed' || value === 'linear' || value === 'exponential') return value;
  throw invalid('fixed, linear or exponential is expected.', fields.pointer('backoffStrategy'));
}

function readFlag(fields: ReadFields, name: string, fallback: boolean): boolean {
  const value = fields.get(name);
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw invalid('true or false is expected.', fields.pointer(name));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}
