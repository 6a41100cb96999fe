import type { Outcome } from '@event-manager/core';
import type { SentResponse } from './sender.ts';

/** Receivers that ask for more than a day mean "never", which is what the retry policy is for. */
const RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1000;
/** Statuses that say "not now" (Standard Webhooks 1.0), and may say when. */
const LATER = new Set([429, 502, 503, 504]);

/** What a status means for the delivery. Only 2xx is success: a redirect is a failure, because it is not followed. */
export function responseOutcome({ status, retryAfter }: SentResponse, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { status: 'delivered' };
  const error = { code: `http_${status}`, message: `The receiver answered with status ${status}.` };
  if (status === 410) return { status: 'gone', error };
  const afterMs = LATER.has(status) && retryAfter !== undefined ? retryAfterMs(retryAfter, nowMs) : undefined;
  return afterMs === undefined ? { status: 'retry', error } : { status: 'retry', error, afterMs };
}

/** Reads seconds or an HTTP date (RFC 9110, 10.2.3); `undefined` when it is neither. */
export function retryAfterMs(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  const waitMs = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : readDateMs(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), RETRY_AFTER_MS_MAX);
}

/** Only dates with a weekday: `Date.parse` would also find a year in "-5". */
function readDateMs(text: string): number {
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
}
