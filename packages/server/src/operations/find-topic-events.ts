import { EventManagerError, isExact, type Principal, parsePattern } from '@event-manager/core';
import { type EventsFound, type FindEventsInput, findEvents } from './find-events.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * One page of the events stored on one topic, declared or not. Throws `invalid_topic`, and what `findEvents` throws; `topic` is
 * not one of the fields of this query.
 */
export function findTopicEvents(
  context: OperationContext,
  principal: Principal,
  topic: string,
  input: FindEventsInput,
): Promise<EventsFound> {
  const { limits } = context.engine;
  const query = input.query as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(query, 'topic')) {
    throw new EventManagerError('invalid_query', 'The topic stands in the address already.', { pointer: '/topic' });
  }
  if (!isExact(parsePattern(topic, limits, '/topic'))) {
    throw new EventManagerError('invalid_topic', 'One topic is expected here, without wildcards.', {
      pointer: '/topic',
    });
  }
  return findEvents(context, principal, { ...input, query: { ...query, topic } });
}
