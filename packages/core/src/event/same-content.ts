import { Buffer } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';

/** True when two encoded events are equal as JSON values: member order and spelling of numbers do not matter. */
export function sameContent(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b || Buffer.compare(a, b) === 0) return true;
  return isDeepStrictEqual(parse(a), parse(b));
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}
