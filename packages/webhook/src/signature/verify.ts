import { timingSafeEqual } from 'node:crypto';
import { type Clock, systemClock } from '@event-manager/core';
import { readSecret } from './secret.ts';
import { signatureOf } from './sign.ts';

const TOLERANCE_SECONDS = 5 * 60;

export type Verification =
  | { readonly valid: true; readonly id: string; readonly timestampSeconds: number }
  | { readonly valid: false; readonly reason: 'missing_header' | 'outside_tolerance' | 'no_matching_signature' };

/**
 * Checks a received webhook. `body` must be the bytes as they came: parsed and printed again they differ. Header names are in
 * lower case, as Node gives them. Several secrets may be given during a rotation.
 */
export function verify(
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  secrets: readonly string[],
  clock: Clock = systemClock,
): Verification {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (
    typeof id !== 'string' ||
    typeof signatures !== 'string' ||
    typeof timestamp !== 'string' ||
    !/^\d{1,12}$/.test(timestamp)
  ) {
    return { valid: false, reason: 'missing_header' };
  }
  const timestampSeconds = Number(timestamp);
  // Without this, whoever once saw a signed request could send it again for ever.
  if (Math.abs(Math.floor(clock.wallMs() / 1000) - timestampSeconds) > TOLERANCE_SECONDS) {
    return { valid: false, reason: 'outside_tolerance' };
  }
  const given = signatures.split(' ').filter((entry) => entry.startsWith('v1,'));
  const expected = secrets.map((secret) => `v1,${signatureOf({ id, timestampSeconds, body }, readSecret(secret))}`);
  const matches = given.some((entry) => expected.some((candidate) => equal(entry, candidate)));
  return matches ? { valid: true, id, timestampSeconds } : { valid: false, reason: 'no_matching_signature' };
}

/** Takes the same time wherever the texts differ: otherwise a signature could be guessed byte by byte. */
function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
