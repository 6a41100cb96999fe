import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { isReserved, parseTopic } from '../topic/topic.ts';
import { KnownTexts, onePiece } from './known-texts.ts';

/** A topic as it was published and in the form that matching uses. */
export interface ReadTopic {
  readonly text: string;
  readonly canonical: string;
}

interface KnownTopic extends ReadTopic {
  readonly levels: number;
  readonly isReserved: boolean;
}

const KNOWN = new KnownTexts<KnownTopic>();

/** Reads the topic that stands under `key` of what `parent` points to. Throws `invalid_event`, `invalid_topic`, `topic_reserved`. */
export function readTopic(
  value: unknown,
  limits: Limits,
  principal: Principal,
  parent: string,
  key: string,
): ReadTopic {
  if (typeof value !== 'string') {
    throw new EventManagerError('invalid_event', 'A topic is a text.', { pointer: `${parent}/${key}` });
  }
  let topic = KNOWN.get(value);
  if (topic === undefined || !isWithin(topic, limits)) topic = checked(value, limits, `${parent}/${key}`);
  if (topic.isReserved && principal.kind !== 'system') {
    const pointer = `${parent}/${key}`;
    throw new EventManagerError('topic_reserved', 'Topics under $sys belong to the bus itself.', { pointer });
  }
  return topic;
}

/** What was checked once may have been checked against the wider limits of another bus in this process. */
function isWithin({ text, levels }: KnownTopic, limits: Limits): boolean {
  return text.length <= limits.topicCharactersMax && levels <= limits.topicLevelsMax;
}

function checked(value: string, limits: Limits, pointer: string): KnownTopic {
  const canonical = onePiece(parseTopic(value, limits, pointer));
  const text = canonical === value ? canonical : onePiece(value);
  const topic = { text, canonical, levels: canonical.split('/').length, isReserved: isReserved(canonical) };
  KNOWN.put(text, topic);
  return topic;
}
