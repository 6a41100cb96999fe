import { checkJson } from '../json/check-json.ts';
import type { JsonObject } from '../json.ts';

/** It is kept with each failed attempt, of which a debt keeps many. */
const CHARACTERS_MAX = 1_024;
const DEPTH_MAX = 16;

/**
 * A copy of what a handler said beside its error, or `undefined` for what is not kept: no object, nothing in it, no JSON, or
 * more than 1,024 characters of it. Never throws, whatever a handler returned.
 */
export function keptMetadata(given: unknown): JsonObject | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  try {
    const text = JSON.stringify(given);
    if (text === undefined || text.length > CHARACTERS_MAX) return undefined;
    const copy: unknown = JSON.parse(text);
    checkJson(copy, { depthMax: DEPTH_MAX, pointer: '' });
    return isFilledObject(copy) ? copy : undefined;
  } catch {
    return undefined;
  }
}

function isFilledObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}
