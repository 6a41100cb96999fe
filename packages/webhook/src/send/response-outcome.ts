import type { Outcome } from '@event-manager/core';
import { retryAfterMs } from './retry-after.ts';
import type { SentResponse } from './sender.ts';

/** Statuses that say "not now" (Standard Webhooks 1.0), and may say when. */
const LATER = new Set([429, 502, 503, 504]);
/** A receiver that says "now" and is still not there must not be asked in a loop. */
const PAUSE_MS_MIN = 1_000;

/**
 * What a status means for the delivery. Only 2xx is success: a redirect is a failure, because it is not followed.
 *
 * 429 asks for a pause of everything that is sent there, and so does 503 that says how long: neither is a failure of the
 * delivery. A 503 that says nothing, a 502 or a 504 is: behind them there may be nobody at all.
 */
export function responseOutcome({ status, retryAfter, date }: SentResponse, nowMs: number): Outcome {
  if (status >= 200 && status < 300) return { status: 'delivered' };
  const error = { code: `http_${status}`, message: `The receiver answered with status ${status}.` };
  if (status === 410) return { status: 'gone', error };
  const afterMs = LATER.has(status) && retryAfter !== undefined ? retryAfterMs(retryAfter, date, nowMs) : undefined;
  if (status === 429 || (status === 503 && afterMs !== undefined)) {
    return { status: 'busy', error, ...(afterMs === undefined ? {} : { afterMs: Math.max(afterMs, PAUSE_MS_MIN) }) };
  }
  return afterMs === undefined ? { status: 'retry', error } : { status: 'retry', error, afterMs };
}
