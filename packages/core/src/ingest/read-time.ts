import type { ErrorCode } from '../errors/codes.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([Zz]|[+-]\d{2}:\d{2})$/;
/** RFC 3339 writes years with four digits: 0000-01-01 to 9999-12-31. */
const MS_MIN = -62_167_219_200_000;
const MS_MAX = 253_402_300_799_999;

/**
 * Reads a moment given as `Date`, RFC 3339 text or milliseconds since 1970, and returns whole milliseconds since 1970. Text
 * without an offset is refused: the same words would mean another moment on another machine. Throws `code`.
 */
export function readTimeMs(value: unknown, pointer: string, code: ErrorCode = 'invalid_event'): number {
  const ms = timeMs(value);
  if (ms !== undefined && ms >= MS_MIN && ms <= MS_MAX) return ms;
  const message = 'A time is a Date, RFC 3339 text with an offset, or milliseconds since 1970.';
  throw new EventManagerError(code, message, { pointer });
}

function timeMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.floor(value) : undefined;
  if (typeof value === 'string') return rfc3339Ms(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.getTime();
  return undefined;
}

function rfc3339Ms(text: string): number | undefined {
  const parts = RFC_3339.exec(text);
  if (parts === null) return undefined;
  const [, date, time, offset] = parts;
  const ms = Date.parse(`${date}T${time}${offset!.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  // Date.parse turns 30 February into a day of March: the date has to come back as it was written.
  const isRealDay = new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().startsWith(date!);
  return isRealDay && !time!.startsWith('24') ? ms : undefined;
}

let lastMs = Number.NaN;
let lastText = '';

/** RFC 3339 in UTC with milliseconds. Events come many to a millisecond, so the last answer is remembered. */
export function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
