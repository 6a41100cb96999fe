import {
  EventManagerError,
  isEventManagerError,
  type JsonValue,
  jsonPointer,
  keptMetadata,
  type Limits,
  parseJson,
} from '@event-manager/core';
import { assertValues } from '../http/parse-bounded.ts';
import type { ClientFrame, Ref } from './client-frame.ts';

const REF_CHARACTERS_MAX = 64;
const MEMBER_CHARACTERS_MAX = 64;
const ENTRIES_MAX = 1_000;
const NACK_CHARACTERS_MAX = 1_024;
const DRAIN_MS_MAX = 60 * 60 * 1_000;
const AFTER_MS_MAX = 24 * 60 * 60 * 1_000;

/** A frame that cannot be read, with the answer it asked for where that much of it could be understood. */
export class UnreadableFrame {
  readonly error: EventManagerError;
  readonly ref: Ref | undefined;

  constructor(error: EventManagerError, ref: Ref | undefined) {
    this.error = error;
    this.ref = ref;
  }
}

type Fields = Readonly<Record<string, JsonValue>>;
/** Reads one field: returns what it holds when it is right, else what would be. */
type Check = (value: JsonValue) => string | undefined;

const isRef = (value: unknown): value is Ref =>
  (typeof value === 'string' && value.length > 0 && value.length <= REF_CHARACTERS_MAX) || Number.isSafeInteger(value);

/** It is written into every frame of its deliveries, and needs no escape there. */
const isMember = (value: unknown) =>
  typeof value === 'string' && value.length <= MEMBER_CHARACTERS_MAX && /^[!#-[\]-~]+$/.test(value);

const CHECKS: Readonly<Record<string, Check>> = {
  ref: (value) => (isRef(value) ? undefined : `a text of 1 to ${REF_CHARACTERS_MAX} characters, or a whole number`),
  event: () => undefined,
  events: (value) => (Array.isArray(value) ? undefined : 'a list of events'),
  topics: texts,
  eventTypes: texts,
  filter: () => undefined,
  // Read by core, like the filter.
  context: () => undefined,
  subscriber: (value) => (typeof value === 'string' ? undefined : 'the name of a subscriber'),
  from: (value) => (typeof value === 'string' ? undefined : 'latest, earliest or a cursor'),
  stream: (value) => (typeof value === 'string' ? undefined : 'the name of a stream'),
  member: (value) => (isMember(value) ? undefined : `a text of 1 to ${MEMBER_CHARACTERS_MAX} visible characters`),
  deliveries: (value) =>
    Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry)) ? undefined : 'a list of whole numbers',
  retry: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  error: (value) =>
    typeof value === 'string' && value.length <= NACK_CHARACTERS_MAX
      ? undefined
      : `a text of at most ${NACK_CHARACTERS_MAX} characters`,
  metadata: (value) =>
    keptMetadata(value) ? undefined : 'an object that is not empty, of at most 1,024 characters of JSON',
  drainMs: (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= DRAIN_MS_MAX
      ? undefined
      : `a whole number from 0 to ${DRAIN_MS_MAX}`,
  afterMs: (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= AFTER_MS_MAX
      ? undefined
      : `a whole number from 0 to ${AFTER_MS_MAX}`,
};

interface Shape {
  readonly needs: readonly string[];
  readonly may?: readonly string[];
}

const SHAPES: Readonly<Record<string, (frame: Fields) => Shape>> = {
  publish: (frame) => ({ needs: ['ref', 'events' in frame ? 'events' : 'event'] }),
  stream: () => ({ needs: ['ref'], may: ['topics', 'filter', 'from', 'subscriber', 'context'] }),
  unstream: () => ({ needs: ['ref', 'stream'] }),
  subscribe: (frame) =>
    'eventTypes' in frame
      ? { needs: ['eventTypes'], may: ['ref', 'from'] }
      : { needs: ['ref', 'subscription'], may: ['member'] },
  unsubscribe: (frame) =>
    'eventTypes' in frame
      ? { needs: ['eventTypes'], may: ['ref'] }
      : { needs: ['ref', 'subscription'], may: ['member'] },
  detach: () => ({ needs: ['ref', 'subscription'], may: ['member', 'drainMs'] }),
  ack: () => ({ needs: ['deliveries'] }),
  release: () => ({ needs: ['deliveries'] }),
  nack: () => ({ needs: ['deliveries'], may: ['retry', 'error', 'afterMs', 'metadata'] }),
  ping: () => ({ needs: [] }),
};

/**
 * Reads one text frame with the same strict reader as HTTP. An event may be nested as deep as there: what is around it does
 * not count. Never throws for what a client sent.
 */
export function readFrame(bytes: Buffer, limits: Limits): ClientFrame | UnreadableFrame {
  let frame: JsonValue;
  // That it is UTF-8 was found when the frame was put together.
  const text = bytes.toString('utf8');
  try {
    assertValues(bytes, limits, 'send fewer events in a frame');
    frame = parseJson(text, { depthMax: limits.depthMax + 1 });
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    return new UnreadableFrame(error, refIn(text, error));
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    return new UnreadableFrame(unreadable('A frame is a JSON object.', ''), undefined);
  }
  return checkFrame(frame as Fields);
}

function checkFrame(frame: Fields): ClientFrame | UnreadableFrame {
  const { type } = frame;
  const given = frame['ref'];
  const ref = isRef(given) ? given : undefined;
  const shapeOf = typeof type === 'string' && Object.hasOwn(SHAPES, type) ? SHAPES[type] : undefined;
  if (!shapeOf) {
    const words = `A frame has one of these types: ${Object.keys(SHAPES).join(', ')}.`;
    return new UnreadableFrame(unreadable(words, '/type'), ref);
  }
  const { needs, may = [] } = shapeOf(frame);
  for (const name of needs) {
    if (frame[name] === undefined) return new UnreadableFrame(unreadable(`A ${name} is needed.`, `/${name}`), ref);
  }
  for (const name in frame) {
    if (name === 'type') continue;
    const error = checkField(type as string, name, frame[name]!, needs.includes(name) || may.includes(name));
    if (error) return new UnreadableFrame(error, ref);
  }
  return frame as unknown as ClientFrame;
}

function checkField(type: string, name: string, value: JsonValue, isKnown: boolean): EventManagerError | undefined {
  const pointer = jsonPointer('', name);
  if (!isKnown) return unreadable(`A frame of the type ${type} has no such field.`, pointer);
  // A new subscription is read by core; everywhere else it is the id of one.
  if (name === 'subscription') {
    const isRight = type === 'subscribe' || typeof value === 'string';
    return isRight ? undefined : unreadable('The id of a subscription is expected.', pointer);
  }
  const expected = CHECKS[name]!(value);
  return expected === undefined ? undefined : unreadable(`Expected is ${expected}.`, pointer);
}

/** Whoever sent JSON with a double key or a number that does not survive waits for an answer to its own `ref`. */
function refIn(text: string, { details }: EventManagerError): Ref | undefined {
  // Syntax errors say where they are; nothing can be found in such a text.
  if (details['offset'] !== undefined) return undefined;
  try {
    const { ref } = JSON.parse(text) as { ref?: unknown };
    return isRef(ref) ? ref : undefined;
  } catch {
    return undefined;
  }
}

function texts(value: JsonValue): string | undefined {
  const isRight =
    Array.isArray(value) && value.length <= ENTRIES_MAX && value.every((entry) => typeof entry === 'string');
  return isRight ? undefined : `a list of at most ${ENTRIES_MAX} texts`;
}

function unreadable(words: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_request', words, { pointer });
}
