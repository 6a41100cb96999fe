import { type Chance, EventManagerError } from '@event-manager/core';

const PREFIX = 'whsec_';
const BYTES_MIN = 24;
const BYTES_MAX = 64;
const GENERATED_BYTES = 32;

/** Reads a signing secret: `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks 1.0). Throws `invalid_subscription`. */
export function readSecret(secret: string): Buffer {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  const key = Buffer.from(encoded, 'base64');
  const isBase64 = withoutPadding(key.toString('base64')) === withoutPadding(encoded);
  if (encoded !== '' && isBase64 && key.length >= BYTES_MIN && key.length <= BYTES_MAX) return key;
  const message = `A webhook secret is "${PREFIX}" and the base64 of ${BYTES_MIN} to ${BYTES_MAX} bytes.`;
  throw new EventManagerError('invalid_subscription', message, { pointer: '/secret' });
}

function withoutPadding(base64: string): string {
  let end = base64.length;
  while (base64[end - 1] === '=') end--;
  return base64.slice(0, end);
}

export function generateSecret(chance: Chance): string {
  const key = new Uint8Array(GENERATED_BYTES);
  chance.fill(key);
  return PREFIX + Buffer.from(key).toString('base64');
}
