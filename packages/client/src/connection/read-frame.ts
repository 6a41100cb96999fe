import { isObject } from '../http/problem-error.ts';
import type { ServerFrame } from './frames.ts';

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isPositive = (value: unknown) => isWhole(value) && value > 0;
const isAnswer = ({ ref }: Fields) => isWhole(ref);
const isAddressed = ({ subscription, member }: Fields) =>
  isText(subscription) && (member === undefined || isText(member));

/** What is read of each frame. Other fields may be there: a newer service says more. */
const SHAPES: Readonly<Record<ServerFrame['type'], (frame: Fields) => boolean>> = {
  hello: ({ limits }) => isObject(limits) && isPositive(limits['windowEvents']) && isPositive(limits['frameBytesMax']),
  published: ({ answers }) => Array.isArray(answers) && answers.every(isPublishedAnswer),
  subscribed: (frame) => isAnswer(frame) && isSubscription(frame['subscription']),
  unsubscribed: isAnswer,
  detached: (frame) => isAnswer(frame) || (isAddressed(frame) && isText(frame['reason'])),
  streaming: (frame) => isAnswer(frame) && isText(frame['stream']) && isText(frame['cursor']),
  unstreamed: isAnswer,
  delivery: (frame) =>
    isAddressed(frame) && Array.isArray(frame['deliveries']) && frame['deliveries'].every(isDelivery),
  progress: (frame) => isAddressed(frame) && isText(frame['cursor']),
  event: ({ stream, cursor, event }) => isText(stream) && isText(cursor) && isEvent(event),
  gap: ({ stream, cursor, cause }) => isText(stream) && isText(cursor) && isText(cause),
  cursor: ({ stream, cursor }) => isText(stream) && isText(cursor),
  pong: () => true,
  error: ({ ref, error }) => (ref === undefined || isWhole(ref)) && isObject(error),
};

/**
 * Reads one frame: `unknown` for a type that this client does not know, `undefined` for what no event manager writes. Anything
 * may listen where the service is expected, and a frame of it that nobody understands must not end the program.
 */
export function readFrame(data: unknown): ServerFrame | 'unknown' | undefined {
  const frame = parsed(data);
  if (!isObject(frame)) return undefined;
  const { type } = frame;
  if (!isText(type)) return undefined;
  if (!Object.hasOwn(SHAPES, type)) return 'unknown';
  return SHAPES[type as ServerFrame['type']](frame) ? (frame as unknown as ServerFrame) : undefined;
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

function isPublishedAnswer(answer: unknown): boolean {
  if (!isObject(answer) || !isWhole(answer['ref'])) return false;
  const { result, results, error } = answer;
  if (result !== undefined) return isResult(result);
  return results === undefined ? isObject(error) : Array.isArray(results) && results.every(isResult);
}

function isResult(result: unknown): boolean {
  if (!isObject(result)) return false;
  const { id, cursor, duplicate, scheduledFor, error } = result;
  if ('error' in result) return isObject(error);
  if (scheduledFor !== undefined && !isText(scheduledFor)) return false;
  return isText(id) && isText(cursor) && typeof duplicate === 'boolean';
}

function isSubscription(subscription: unknown): boolean {
  if (!isObject(subscription)) return false;
  const { id, topic, connectionType, options } = subscription;
  return isText(id) && isText(topic) && isText(connectionType) && connectionType !== 'webhook' && isObject(options);
}

function isDelivery(entry: unknown): boolean {
  if (!isObject(entry)) return false;
  const { delivery, attempt, replay, life, cursor, event } = entry;
  const isReplay = replay === undefined || (isObject(replay) && isText(replay['id']));
  const isMarked = isReplay && (life === undefined || isText(life));
  return isWhole(delivery) && isWhole(attempt) && isMarked && isText(cursor) && isEvent(event);
}

function isEvent(event: unknown): boolean {
  return isObject(event) && isText(event['id']) && isObject(event['metadata']);
}
