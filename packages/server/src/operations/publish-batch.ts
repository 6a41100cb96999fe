import { type BatchResult, EventManagerError, jsonPointer, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/**
 * Stores the good events of a batch, which is a list, or an object with the list in `events`; made by `parseJson`. One
 * result per event in order; `onHandedIn` as in `PublishOptions`. Throws `invalid_event` when it is neither, and what `Engine.publishBatch` throws.
 */
export async function publishBatch(
  context: OperationContext,
  principal: Principal,
  input: unknown,
  onHandedIn: () => void = () => {},
): Promise<readonly BatchResult[]> {
  const options = { trusted: true, onHandedIn };
  if (Array.isArray(input)) return context.engine.publishBatch(principal, input, options);
  const results = await context.engine.publishBatch(principal, eventsIn(input), options);
  return results.map((result) => (result instanceof EventManagerError ? within('/events', result) : result));
}

function eventsIn(input: unknown): readonly unknown[] {
  const fields = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  const stranger = fields.find(([name]) => name !== 'events');
  if (stranger) {
    const pointer = jsonPointer('', stranger[0]);
    throw new EventManagerError('invalid_event', 'A batch has only the field events.', { pointer });
  }
  const events: unknown = fields[0]?.[1];
  if (Array.isArray(events)) return events;
  const pointer = fields.length === 0 ? '' : '/events';
  throw new EventManagerError('invalid_event', 'A batch is a list of events, or {"events": […]}.', { pointer });
}

function within(prefix: string, error: EventManagerError): EventManagerError {
  const { pointer = '' } = error.details;
  const details = { ...error.details, pointer: `${prefix}${pointer}` };
  return new EventManagerError(error.code, error.message, details, error.cause);
}
