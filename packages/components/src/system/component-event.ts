import type { ComponentEvent } from '../component-events.ts';
import { sanitizeText } from '../sanitize/sanitize-text.ts';
import { sanitizeValue } from '../sanitize/sanitize-value.ts';
import type { QueuedEvent } from './event-drain.ts';

const SOURCE = 'components';
const VERSION = '1.0';

/** The event as it leaves: what a component handed in, without what nobody should read. */
export function componentEvent(queued: QueuedEvent): ComponentEvent {
  const { id, type, atMs, correlationId, causationId, fields, route, data } = queued;
  const { source = SOURCE, projectId, tags, userId, sessionId } = fields;
  const isUserTold = route.configuration.includeUserData;
  return {
    id,
    type,
    topic: type,
    source: sanitizeText(source),
    timestamp: new Date(atMs).toISOString(),
    version: VERSION,
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    metadata: {
      ...(projectId === undefined ? {} : { projectId: sanitizeText(projectId) }),
      ...(tags === undefined ? {} : { tags: tags.map(sanitizeText) }),
      ...(isUserTold && userId !== undefined ? { userId: sanitizeText(userId) } : {}),
      ...(isUserTold && sessionId !== undefined ? { sessionId: sanitizeText(sessionId) } : {}),
    },
    payload: sanitizeValue(data) as ComponentEvent['payload'],
  };
}
