import { equalJson } from '../json/equal-json.ts';
import type { JsonObject } from '../json.ts';
import { decodeStoredEvent } from './decode-event.ts';

/**
 * True when two stored bodies say the same: equal JSON values, `timestamp` aside. A publisher that repeats a publish without
 * a timestamp of its own is given another one each time, and must still be told "duplicate" and not "conflict".
 */
export function sameContent(a: Uint8Array, b: Uint8Array): boolean {
  if (sameBytes(a, b)) return true;
  return equalJson(withoutTimestamp(a), withoutTimestamp(b));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}

function withoutTimestamp(body: Uint8Array): JsonObject {
  const { timestamp: _, ...rest } = decodeStoredEvent(body);
  return rest as unknown as JsonObject;
}
