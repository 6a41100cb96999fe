import { EventManagerError, type JsonValue, type Limits, parseJson } from '@event-manager/core';
import { countValues } from './count-values.ts';

/** Reads a JSON text that is not longer than its limit. Throws `body_too_large` when it holds too many values, and what `parseJson` throws. */
export function parseBounded(json: Uint8Array, limits: Limits): JsonValue {
  assertValues(json, limits, 'send fewer events at once, or application/x-ndjson');
  return parseJson(json, { depthMax: limits.depthMax });
}

/** Throws `body_too_large` when a JSON text holds too many values; `advice` says how its protocol takes more. */
export function assertValues(json: Uint8Array, { bodyValuesMax }: Limits, advice: string): void {
  // A value and what parts it from the next are two bytes.
  if (json.length <= bodyValuesMax * 2 || countValues(json, bodyValuesMax + 1) <= bodyValuesMax) return;
  const words = `More than ${bodyValuesMax} JSON values came at once; ${advice}.`;
  throw new EventManagerError('body_too_large', words, { limit: 'bodyValuesMax', maximum: bodyValuesMax });
}
