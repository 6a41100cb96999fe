/** Receivers that ask for more than a day mean "never", which is what the retry policy is for. */
const RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1000;
/** The three forms of RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/;

/**
 * Reads Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3); `undefined` when it is neither. A date is compared with the
 * `Date` of the same answer: the receiver's clock may be another one than ours.
 */
export function retryAfterMs(value: string, date: string | undefined, nowMs: number): number | undefined {
  const text = value.trim();
  const waitMs = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : readDateMs(text) - dateOr(date, nowMs);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), RETRY_AFTER_MS_MAX);
}

function dateOr(date: string | undefined, nowMs: number): number {
  const theirsMs = date === undefined ? Number.NaN : readDateMs(date);
  return Number.isNaN(theirsMs) ? nowMs : theirsMs;
}

/** Only dates with a weekday: `Date.parse` would also find a year in "-5". The form without a zone means GMT, too. */
function readDateMs(text: string): number {
  if (!HTTP_DATE.test(text)) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}
