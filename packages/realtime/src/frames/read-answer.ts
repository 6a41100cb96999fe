import { isEventManagerError, type JsonObject, type JsonValue, keptMetadata, parseJson } from '@event-manager/core';

/** What a receiver may say; `docs/protocol.md` has the words. */
export type Answer =
  | { readonly type: 'ack'; readonly deliveries: readonly number[] }
  /** Given back unhandled: costs no failure. */
  | { readonly type: 'release'; readonly deliveries: readonly number[] }
  | {
      readonly type: 'nack';
      readonly deliveries: readonly number[];
      /** `false` makes the deliveries dead letters at once. */
      readonly retry: boolean;
      readonly error: string;
      readonly afterMs?: number;
      /** Kept with the error. */
      readonly metadata?: JsonObject;
    }
  | { readonly type: 'ping' };

/** That of what is kept beside an error, inside a frame. */
const DEPTH_MAX = 17;
const ERROR_CHARACTERS_MAX = 1_024;
const AFTER_MS_MAX = 24 * 60 * 60 * 1_000;
const UNSAID = 'The receiver reported a failure.';

/** Reads one frame of a receiver; `undefined` for what is none. Never throws for what was sent. */
export function readAnswer(data: Buffer): Answer | undefined {
  let frame: JsonValue;
  try {
    // That it is UTF-8 was found when the frame was put together.
    frame = parseJson(data.toString('utf8'), { depthMax: DEPTH_MAX });
  } catch (error) {
    if (isEventManagerError(error)) return undefined;
    throw error;
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return undefined;
  const fields = frame as Readonly<Record<string, JsonValue>>;
  const { type, deliveries } = fields;
  if (type === 'ping') return { type };
  if (!isNumbers(deliveries)) return undefined;
  if (type === 'ack' || type === 'release') return { type, deliveries };
  return type === 'nack' ? readNack(deliveries, fields) : undefined;
}

function readNack(deliveries: readonly number[], fields: Readonly<Record<string, JsonValue>>): Answer | undefined {
  const { retry = true, error = UNSAID, afterMs, metadata } = fields;
  if (typeof retry !== 'boolean' || typeof error !== 'string' || error.length > ERROR_CHARACTERS_MAX) return undefined;
  const kept = keptMetadata(metadata);
  if (!(afterMs === undefined || isDelay(afterMs)) || !(metadata === undefined || kept)) return undefined;
  return {
    ...{ type: 'nack', deliveries, retry, error },
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(kept ? { metadata: kept } : {}),
  };
}

function isNumbers(value: JsonValue | undefined): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry));
}

function isDelay(value: JsonValue): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= AFTER_MS_MAX;
}
