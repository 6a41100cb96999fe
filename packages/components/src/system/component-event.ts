import type { ComponentEvent, ContextFields } from '../component-events.ts';
import { sanitizeText } from '../sanitize/sanitize-text.ts';
import { sanitizeValue } from '../sanitize/sanitize-value.ts';
import type { QueuedEvent } from './event-drain.ts';

const SOURCE = 'components';
const VERSION = '1.0';

/** What is the same in every event of a context. */
interface Told {
  readonly source: string;
  readonly metadata: ComponentEvent['metadata'];
}

const withUser = new WeakMap<ContextFields, Told>();
const withoutUser = new WeakMap<ContextFields, Told>();

/** The event as it leaves: what a component handed in, without what nobody should read. */
export function componentEvent({
  id,
  type,
  atMs,
  correlationId,
  causationId,
  fields,
  route,
  data,
}: QueuedEvent): ComponentEvent {
  const { source, metadata } = toldOf(fields, route.configuration.includeUserData);
  const event = {
    id,
    type,
    topic: type,
    source,
    timestamp: new Date(atMs).toISOString(),
    version: VERSION,
    correlationId,
    metadata,
    payload: sanitizeValue(data) as ComponentEvent['payload'],
  };
  return causationId === undefined ? event : { ...event, causationId };
}

function toldOf(fields: ContextFields, isUserTold: boolean): Told {
  const known = isUserTold ? withUser : withoutUser;
  let told = known.get(fields);
  if (told === undefined) {
    told = tell(fields, isUserTold);
    known.set(fields, told);
  }
  return told;
}

function tell({ source = SOURCE, projectId, tags, userId, sessionId }: ContextFields, isUserTold: boolean): Told {
  return {
    source: sanitizeText(source),
    metadata: {
      ...(projectId === undefined ? {} : { projectId: sanitizeText(projectId) }),
      ...(tags === undefined ? {} : { tags: tags.map(sanitizeText) }),
      ...(isUserTold && userId !== undefined ? { userId: sanitizeText(userId) } : {}),
      ...(isUserTold && sessionId !== undefined ? { sessionId: sanitizeText(sessionId) } : {}),
    },
  };
}
