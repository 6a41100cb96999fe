import { createHmac } from 'node:crypto';

export interface Signable {
  /** Constant over all attempts of the same content, so that a receiver can drop repetitions. */
  readonly id: string;
  /** When this attempt was made, seconds since 1970. */
  readonly timestampSeconds: number;
  readonly body: Uint8Array;
}

/**
 * The headers of Standard Webhooks 1.0 (https://www.standardwebhooks.com): one `v1` signature per secret, so that during a
 * rotation the receiver accepts by its old and by its new secret.
 */
export function sign(content: Signable, keys: readonly Uint8Array[]): Record<string, string> {
  const headers: Record<string, string> = {
    'webhook-id': content.id,
    'webhook-timestamp': String(content.timestampSeconds),
  };
  if (keys.length > 0) headers['webhook-signature'] = keys.map((key) => `v1,${signatureOf(content, key)}`).join(' ');
  return headers;
}

/** HMAC-SHA256 over `{id}.{timestamp}.{body}`, in base64. */
export function signatureOf({ id, timestampSeconds, body }: Signable, key: Uint8Array): string {
  return createHmac('sha256', key).update(`${id}.${timestampSeconds}.`).update(body).digest('base64');
}
