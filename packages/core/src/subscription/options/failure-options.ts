import { EventManagerError } from '../../errors/event-manager-error.ts';
import { fieldTable, type ReadFields, readFields } from '../../json/read-fields.ts';
import type { SubscriptionDefinition, SubscriptionSink } from '../subscription.ts';

/** When a subscription leaves a receiver alone that fails and fails. */
export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Within which they have to come, milliseconds. */
  readonly windowMs: number;
  /** How long it stays open at first, milliseconds; doubled by each probe that fails, to five minutes at the most. */
  readonly openMs: number;
}

/** What is not given is not stored either and means the default of its kind of sink, so that older definitions mean the same. */
export interface FailureOptions {
  /** `false`: never. By default on for what has an endpoint, be it a fallback. */
  readonly breaker?: BreakerPolicy | false;
  /** Nothing but failures for so long stops the subscription, milliseconds; 0 never. By default 5 days for the same. */
  readonly disableAfterMs?: number;
  /** `false`: no event on `deadLetterTopic`. Dead letters are kept in any case. */
  readonly useDLQ?: boolean;
}

/** In the form of `OPTION_FIELDS`. */
export const FAILURE_FIELD_NAMES = ['breaker', 'disableAfterMs', 'useDLQ'] as const;
export const FAILURE_FIELD_SPELLINGS = {
  circuitBreaker: 'breaker',
  disableAfter: 'disableAfterMs',
  useDlq: 'useDLQ',
} as const;

export const BREAKER_SPELLINGS = {
  failureThreshold: 'failures',
  window: 'windowMs',
  open: 'openMs',
  resetTimeout: 'openMs',
  resetTimeoutMs: 'openMs',
} as const;
export const BREAKER_FIELDS = fieldTable(['failures', 'windowMs', 'openMs'], BREAKER_SPELLINGS);

export const DEFAULT_BREAKER: BreakerPolicy = Object.freeze({ failures: 10, windowMs: 300_000, openMs: 30_000 });
export const DISABLE_AFTER_MS_DEFAULT = 5 * 24 * 60 * 60 * 1_000;

const FAILURES_MAX = 1_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
const DISABLE_AFTER_MS_MAX = 365 * DAY_MS;

/** Reads what the options say of failures. Throws `invalid_subscription` with `details.pointer`. */
export function parseFailure(fields: ReadFields): FailureOptions {
  const breaker = fields.get('breaker');
  const disableAfterMs = fields.get('disableAfterMs');
  const useDLQ = fields.get('useDLQ');
  return {
    ...(breaker === undefined ? {} : { breaker: readBreaker(breaker, fields.pointer('breaker')) }),
    ...(disableAfterMs === undefined
      ? {}
      : { disableAfterMs: whole(disableAfterMs, [0, DISABLE_AFTER_MS_MAX], fields.pointer('disableAfterMs')) }),
    ...(useDLQ === undefined ? {} : { useDLQ: flag(useDLQ, fields.pointer('useDLQ')) }),
  };
}

/** `undefined` where it never opens. */
export function breakerPolicyOf({ sink, options }: SubscriptionDefinition): BreakerPolicy | undefined {
  if (options.breaker === false) return undefined;
  return options.breaker ?? (hasAddress(sink) ? DEFAULT_BREAKER : undefined);
}

/** 0 where it is never disabled. */
export function disableAfterMsOf({ sink, options }: SubscriptionDefinition): number {
  return options.disableAfterMs ?? (hasAddress(sink) ? DISABLE_AFTER_MS_DEFAULT : 0);
}

/** It has an endpoint, or one that serves while nobody is connected: somebody who is not here may be called for nothing. */
export function hasAddress(sink: SubscriptionSink): boolean {
  return 'endpoint' in sink || ('fallback' in sink && sink.fallback !== undefined);
}

function readBreaker(input: unknown, pointer: string): BreakerPolicy | false {
  if (input === false) return false;
  if (input === true) return DEFAULT_BREAKER;
  const fields = readFields(input, BREAKER_FIELDS, { code: 'invalid_subscription', pointer });
  const read = (name: keyof BreakerPolicy, max: number) => {
    const value = fields.get(name);
    return value === undefined ? DEFAULT_BREAKER[name] : whole(value, [1, max], fields.pointer(name));
  };
  return {
    failures: read('failures', FAILURES_MAX),
    windowMs: read('windowMs', DAY_MS),
    openMs: read('openMs', DAY_MS),
  };
}

function whole(value: unknown, [min, max]: readonly [number, number], pointer: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value + 0;
  throw invalid(`A whole number from ${min} to ${max} is expected.`, pointer);
}

function flag(value: unknown, pointer: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid('true or false is expected.', pointer);
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}
