import { EventManagerError, type JsonValue, jsonPointer, parseJson } from '@event-manager/core';

/** What a page may ask for. */
export type PageFrame =
  | { readonly type: 'ping' }
  | {
      readonly type: 'subscribe' | 'unsubscribe';
      readonly eventTypes: readonly string[];
      /** Of `subscribe`: go on from this cursor instead of from here. */
      readonly from?: string;
      readonly ref?: string | number;
    };

const DEPTH_MAX = 4;
const TYPES_MAX = 1_000;
const REF_CHARACTERS_MAX = 64;
const FIELDS: Readonly<Record<PageFrame['type'], readonly string[]>> = {
  ping: ['type'],
  subscribe: ['type', 'eventTypes', 'from', 'ref'],
  unsubscribe: ['type', 'eventTypes', 'ref'],
};

/** Reads one text frame. Throws `invalid_json`, `too_deep`, `invalid_request`. */
export function readPageFrame(text: string): PageFrame {
  const frame = parseJson(text, { depthMax: DEPTH_MAX });
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) throw wrong('A frame is a JSON object.', '');
  const fields = frame as Readonly<Record<string, JsonValue>>;
  const { type, eventTypes, from, ref } = fields;
  if (typeof type !== 'string' || !Object.hasOwn(FIELDS, type)) {
    throw wrong(`A frame has one of these types: ${Object.keys(FIELDS).join(', ')}.`, '/type');
  }
  const known = FIELDS[type as PageFrame['type']];
  for (const name in fields) {
    if (!known.includes(name)) throw wrong(`A frame of the type ${type} has no such field.`, jsonPointer('', name));
  }
  if (type === 'ping') return { type };
  const areTexts = Array.isArray(eventTypes) && eventTypes.every((entry) => typeof entry === 'string');
  if (!areTexts || eventTypes.length > TYPES_MAX) {
    throw wrong(`Expected is a list of at most ${TYPES_MAX} event types.`, '/eventTypes');
  }
  if (from !== undefined && typeof from !== 'string') throw wrong('Expected is a cursor.', '/from');
  if (ref !== undefined && !isRef(ref)) {
    throw wrong(`Expected is a text of 1 to ${REF_CHARACTERS_MAX} characters, or a whole number.`, '/ref');
  }
  return frame as unknown as PageFrame;
}

function isRef(value: JsonValue): boolean {
  if (typeof value === 'string') return value.length > 0 && value.length <= REF_CHARACTERS_MAX;
  return Number.isSafeInteger(value);
}

function wrong(words: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_request', words, { pointer });
}
