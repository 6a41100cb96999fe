import type { RelevanceContext } from '../context/context.ts';
import { parseContext } from '../context/parse-context.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { readFilter } from '../filter/filter.ts';
import { type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { parsePattern } from '../topic/pattern.ts';
import { isText } from './is-text.ts';
import { withPace } from './pace-in-filter.ts';
import { parseOptions } from './parse-options.ts';
import { readSink } from './read-sink.ts';
import type { SubscriptionRequest } from './subscription.ts';
import { SUBSCRIPTION_FIELDS } from './subscription-fields.ts';

const NO_FILTER = { filter: undefined, pace: {} };

/**
 * Reads a request to subscribe in any spelling and returns the part of the definition that the subscriber decides, with
 * defaults, sharing nothing with the input. A `handler` must be a function; it is not part of the result. `through` says
 * that a socket serves it, which is nothing that the input could say. Throws
 * `invalid_subscription`, `invalid_pattern`, `invalid_filter`, `invalid_topic`, `invalid_cursor`, `invalid_endpoint`, and
 * `not_supported` for what later versions will understand; each with `details.pointer`.
 */
export function parseSubscription(input: unknown, limits: Limits, through?: 'socket'): SubscriptionRequest {
  const fields = readFields(input, SUBSCRIPTION_FIELDS, { code: 'invalid_subscription', pointer: '' });
  const topic = fields.get('topic');
  if (typeof topic !== 'string') throw invalid('A topic pattern is needed.', fields.pointer('topic'));
  parsePattern(topic, limits, fields.pointer('topic'));
  const sink = readSink(fields, limits, through);
  const name = readName(fields, 'name', limits);
  const subscriber = readName(fields, 'subscriber', limits);
  const given = fields.get('filter');
  const { filter, pace } = given === undefined ? NO_FILTER : readFilter(given, limits, fields.pointer('filter'));
  const context = readContext(fields, limits);
  const options = withPace(fields.get('options') === undefined ? {} : fields.get('options'), pace);
  return {
    ...(name === undefined ? {} : { name }),
    ...(subscriber === undefined ? {} : { subscriber }),
    topic,
    ...(filter === undefined ? {} : { filter }),
    ...(context === undefined ? {} : { context }),
    sink,
    options: parseOptions(options, sink.kind, limits, fields.pointer('options')),
  };
}

/** One that says nothing is none, so that a change can take it away. */
function readContext(fields: ReadFields, limits: Limits): RelevanceContext | undefined {
  const context = fields.get('context');
  if (context === undefined) return undefined;
  return parseContext(context, limits, { pointer: fields.pointer('context'), code: 'invalid_subscription' });
}

function readName(fields: ReadFields, field: 'name' | 'subscriber', limits: Limits): string | undefined {
  const value = fields.get(field);
  if (value === undefined || isText(value, limits.nameCharactersMax)) return value;
  const message = `A text of 1 to ${limits.nameCharactersMax} characters without control characters is expected.`;
  throw invalid(message, fields.pointer(field));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}
