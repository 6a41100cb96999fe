import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { StoredEvent } from '../../event/encode-event.ts';
import { encode } from '../../ingest/encode.ts';
import type { Validate } from '../../ingest/validate.ts';
import { checkJson } from '../../json/check-json.ts';
import { utf8Text } from '../../json/utf8-text.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import type { Principal } from '../../principal.ts';
import { canonicalLevels } from '../../topic/topic.ts';

const POINTER = '/payload';

/**
 * The event of a letter with another payload, as JSON: the same id, and a mark in its metadata, so that nobody takes it for what was
 * published. Held against everything that a published event has to pass. Throws `invalid_event`, `too_deep`, `event_too_large`,
 * `schema_violation`, `topic_not_declared`.
 */
export async function editLetter(
  letter: DeadLetter,
  payload: unknown,
  context: { readonly principal: Principal; readonly limits: Limits; readonly validate: Validate },
): Promise<string> {
  const { principal, limits, validate } = context;
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload) || payload instanceof Date) {
    throw new EventManagerError('invalid_event', 'A payload is an object.', { pointer: POINTER });
  }
  const exact = checkJson(payload, { depthMax: limits.depthMax - 1, pointer: POINTER, checkText: false });
  const { payload: _original, ...envelope } = JSON.parse(letter.event) as StoredEvent;
  const metadata = { ...envelope.metadata, edited: true, editedBy: principal.id };
  const body = encode(
    { value: { ...envelope, metadata }, exact: true },
    { value: payload as JsonObject, exact },
    limits,
    '',
  );
  const { id, type, source, correlationId, priority, timestamp } = envelope;
  await validate.run({
    principal,
    event: {
      ...{ id, type, source, correlationId, body, lane: priority, flags: letter.flags ?? 0 },
      topic: canonicalLevels(envelope.topic),
      userId: metadata.userId,
      projectId: metadata.projectId,
      timestampMs: Date.parse(timestamp),
    },
    input: undefined,
    trusted: false,
    pointer: '',
  });
  return utf8Text(body);
}
