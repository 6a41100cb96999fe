import { Buffer } from 'node:buffer';

/**
 * A key as the database sorts and compares it: UTF-16 code units with the higher byte first, in hexadecimal. Byte order is
 * then the order of code units, and every JavaScript string has exactly one form, halves of surrogate pairs included.
 */
export function keyBytes(key: string): string {
  return Buffer.from(key, 'utf16le').swap16().toString('hex');
}

export function keyOf(sort: Buffer): string {
  return Buffer.from(sort).swap16().toString('utf16le');
}

const LAST_UNIT = 0xffff;

/** The first bytes behind every key with this prefix; `undefined` when there are none. */
export function behindPrefix(prefix: string): string | undefined {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === LAST_UNIT) end--;
  if (end === 0) return undefined;
  return keyBytes(prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1));
}
