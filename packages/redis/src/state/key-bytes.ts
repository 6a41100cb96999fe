import { Buffer } from 'node:buffer';

const SURROGATE = /[\ud800-\udfff]/;
/** What UTF-8 never holds: how a half of a surrogate pair begins here. */
const HALF_LEAD = 0xed;
const HALF_NEXT_MIN = 0xa0;

/**
 * A key as the server sorts and compares it: UTF-8, but each half of a surrogate pair spelled for itself (CESU-8). The order of bytes is
 * then the order of UTF-16 code units, every JavaScript string has exactly one form, and most keys can be read by people.
 */
export function keyBytes(key: string): Buffer {
  if (!SURROGATE.test(key)) return Buffer.from(key);
  const bytes: number[] = [];
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    if (unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}

export function keyOf(bytes: Buffer): string {
  if (!hasHalves(bytes)) return bytes.toString();
  let key = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at]!;
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : 3;
    let unit = size === 1 ? lead : size === 2 ? lead & 0x1f : lead & 0x0f;
    for (let next = at + 1; next < at + size; next++) unit = (unit << 6) | (bytes[next]! & 0x3f);
    key += String.fromCharCode(unit);
    at += size;
  }
  return key;
}

/** The first bytes behind every key that begins with these; `undefined` when every key does. */
export function behindPrefix(prefix: Buffer): Buffer | undefined {
  if (prefix.length === 0) return undefined;
  const behind = Buffer.from(prefix);
  // No byte of a key is the highest one.
  behind[behind.length - 1]!++;
  return behind;
}

function hasHalves(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(HALF_LEAD); at >= 0; at = bytes.indexOf(HALF_LEAD, at + 1)) {
    if (bytes[at + 1]! >= HALF_NEXT_MIN) return true;
  }
  return false;
}
