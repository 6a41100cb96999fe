import { assertId } from '@event-manager/core/portable';

/** An id or a name as a part of an address. Throws `invalid_request` for what is no text: an address would hold it as the word `undefined`. */
export function pathSegment(id: unknown): string {
  assertId(id);
  return encodeURIComponent(id);
}
