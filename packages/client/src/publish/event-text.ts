import {
  accept,
  checkJson,
  DEFAULT_LIMITS,
  EventManagerError,
  jsonPointer,
  parseEventId,
} from '@event-manager/core/portable';

export interface EventText {
  readonly id: string;
  /** As it was given, or the type in place of it. */
  readonly topic: unknown;
  readonly text: string;
}

/**
 * The JSON of an event, made once and sent as often as needed: with an id, so that a repetition is known as one, and with the
 * time of publishing, which is not that of the first successful try. Throws `invalid_event` and `too_deep` for what JSON would
 * drop or change in silence; everything else the service judges.
 */
export function eventText(input: unknown, made: { readonly id: () => string; readonly timestamp: string }): EventText {
  const event = accept(input, '');
  const { id: given, timestamp = made.timestamp } = event;
  const id = given === undefined ? made.id() : given;
  // An unreadable id would be refused by the service; but until then it would be the name of the event here.
  if (typeof id !== 'string' || parseEventId(id) === undefined) {
    throw new EventManagerError('invalid_event', 'An id is a UUID.', { pointer: '/id' });
  }
  const whole = { ...event, id, timestamp };
  checkJson(whole, { depthMax: DEFAULT_LIMITS.depthMax, pointer: '' });
  return { id: id.toLowerCase(), topic: event['topic'] ?? event['type'], text: JSON.stringify(whole) };
}

/** The error as it reads at place `index` of a batch. */
export function errorAt(error: EventManagerError, index: number): EventManagerError {
  const { pointer } = error.details;
  if (pointer === undefined) return error;
  const details = { ...error.details, pointer: `${jsonPointer('', index)}${pointer}` };
  return new EventManagerError(error.code, error.message, details, error.cause);
}
