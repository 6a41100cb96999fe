import { EventManagerError } from '@event-manager/core';

/**
 * The error with its pointer counted from the event, as if that had been published alone: the place in a batch that the client
 * never saw, or put together itself, says nothing.
 */
export function withinEvent(error: EventManagerError): EventManagerError {
  const { pointer } = error.details;
  if (pointer === undefined) return error;
  const details = { ...error.details, pointer: pointer.replace(/^\/\d+(?=\/|$)/, '') };
  return new EventManagerError(error.code, error.message, details, error.cause);
}
