/**
 * What goes over the exchange: the letters of one turn to one receiver, and how old they can be at most.
 *
 *     { life, atMs, letters, to?, echoMs? }
 *
 * `life` names one run of the sending process, and `atMs` is its monotonic clock. An envelope to one receiver gives back the
 * newest `atMs` that had been heard of it when its first letter was posted (`echoMs`), and the life that
 * this clock belongs to (`to`). So the receiver knows without a common clock that what it reads was posted after it said `echoMs`
 * itself, and that it is no older than that: a process that slept sees that the letters in its socket are as old as its sleep.
 */
import type { JsonObject, JsonValue } from '../json.ts';

/** `kind` says who reads it; the other fields are between those two. */
export type Letter = JsonObject & { readonly kind: string };

export interface Envelope {
  readonly life: string;
  readonly atMs: number;
  readonly letters: readonly Letter[];
  readonly to?: string | undefined;
  readonly echoMs?: number | undefined;
}

export function encodeEnvelope({ life, atMs, letters, to, echoMs }: Envelope): JsonValue {
  return { life, atMs, letters, ...(to === undefined || echoMs === undefined ? {} : { to, echoMs }) };
}

/** `undefined` for what no process of this kind sent. */
export function decodeEnvelope(value: JsonValue): Envelope | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { life, atMs, letters, to, echoMs } = value as JsonObject;
  if (typeof life !== 'string' || typeof atMs !== 'number' || !Array.isArray(letters)) return undefined;
  if ((to !== undefined && typeof to !== 'string') || (echoMs !== undefined && typeof echoMs !== 'number')) {
    return undefined;
  }
  return { life, atMs, letters: letters.filter(isLetter), to, echoMs };
}

function isLetter(value: JsonValue): value is Letter {
  return typeof (value as { kind?: unknown } | null)?.kind === 'string';
}
