import type { SubscriptionOptions } from '@event-manager/core';
import { DEFAULT_LIMITS, fieldName, OPTION_FIELDS } from '@event-manager/core/portable';
import { isObject } from '../http/problem-error.ts';

/*
 * A handler over the network does not wait for the network: the service sends so many deliveries ahead, and the handler is
 * called for one after the other. So a delivery may wait here for all those before it, and its time must begin when its
 * handler does. Therefore the time of a call is kept here, and the service is asked for as much as they all may need together;
 * when this program is gone, the lost connection tells it, not the time.
 *
 * Whoever gives `maxConcurrency` has so many handlers running at once, and nothing waits.
 */

/** What the service sends ahead when nobody says otherwise. */
const AHEAD = 32;
const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_MS_MAX = 60 * 60 * 1_000;

export interface SocketOptions {
  /** Options as they are sent. */
  readonly sent: unknown;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

/** Splits options, in any spelling, into what the service keeps and what is kept here. What is wrong the service refuses. */
export function socketOptions(options: unknown): SocketOptions {
  const given = isObject(options) ? options : {};
  const { maxConcurrency, timeoutMs } = named(given);
  if (maxConcurrency !== undefined) {
    return { sent: options, concurrency: whole(maxConcurrency, 1), timeoutMs: whole(timeoutMs, TIMEOUT_MS_DEFAULT) };
  }
  const ownMs = whole(timeoutMs, TIMEOUT_MS_DEFAULT);
  const isWrong = timeoutMs !== undefined && timeoutMs !== ownMs;
  if (isWrong || (options !== undefined && !isObject(options))) {
    return { sent: options, concurrency: 1, timeoutMs: ownMs };
  }
  const rest = Object.entries(given).filter(([key]) => nameOf(key) !== 'timeoutMs');
  const sent = { ...Object.fromEntries(rest), timeoutMs: Math.min(TIMEOUT_MS_MAX, ownMs * (AHEAD + 1)) };
  return { sent, concurrency: 1, timeoutMs: ownMs };
}

/** How many answers the service may forget when it is killed, or when an unnamed subscription begins anew. */
export function rememberedMax({ inFlightMax }: SubscriptionOptions, isDurable: boolean): number {
  const usual = DEFAULT_LIMITS.inFlightMax;
  // An unnamed one begins again where it was up to a second ago.
  return isDurable ? Math.max(inFlightMax, usual) : 10 * usual;
}

function named(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [nameOf(key), value]));
}

function nameOf(key: string): string {
  return fieldName(OPTION_FIELDS, key) ?? key;
}

function whole(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= TIMEOUT_MS_MAX
    ? value
    : otherwise;
}
