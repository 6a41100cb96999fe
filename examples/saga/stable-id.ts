import { createHash } from 'node:crypto';

// #region id
/** The same words give the same UUID: what is published again after a crash is known by it, and stored once. */
export function stableId(...words: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(words)).digest();
  // Version 8, which RFC 9562 leaves to whoever makes it.
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
// #endregion
