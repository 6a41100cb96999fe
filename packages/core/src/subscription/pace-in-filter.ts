import { EventManagerError } from '../errors/event-manager-error.ts';
import { FILTER_FIELDS } from '../filter/aliases.ts';
import type { PaceInFilter } from '../filter/parse-filter.ts';
import { fieldName } from '../json/read-fields.ts';
import { RATE_LIMIT_MAX, withoutPreset } from './options/pace-options.ts';
import { OPTION_FIELDS } from './subscription-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The options with what the filter says of the pace, as filters of assistants do. Throws `invalid_filter`, and
 * `invalid_subscription` where both speak and differ.
 */
export function withPace(options: unknown, pace: PaceInFilter): unknown {
  const given = Object.entries(pace);
  if (given.length === 0 || !isFields(options)) return options;
  for (const [name, { value, pointer }] of given) {
    checkPace(name, value, pointer);
    const said = Object.entries(options).find(([key]) => fieldName(OPTION_FIELDS, key) === name)?.[1];
    if (said === undefined || said === value) continue;
    const words = `The option ${name} is given twice: here and in options, which say something else.`;
    throw new EventManagerError('invalid_subscription', words, { pointer });
  }
  const others = Object.entries(options).filter(([key]) => pace[fieldName(OPTION_FIELDS, key) ?? ''] === undefined);
  return { ...Object.fromEntries(others), ...Object.fromEntries(given.map(([name, { value }]) => [name, value])) };
}

/** Stored options without those that the filter of a change says anew. */
export function withoutPaceOf(filter: unknown, options: Fields): Fields {
  if (!isFields(filter)) return options;
  const said = new Set(Object.keys(filter).map((key) => fieldName(FILTER_FIELDS, key)));
  const kept = { ...(withoutPreset(options, said) as Fields) };
  if (said.has('rateLimitPerMinute')) delete (kept as Record<string, unknown>)['rateLimitPerMinute'];
  return kept;
}

/** Here and not by the reader of the options, whose pointer would lead to where nothing was said. */
function checkPace(name: string, value: unknown, pointer: string): void {
  if (name === 'smartBatching') {
    if (typeof value === 'boolean') return;
    throw new EventManagerError('invalid_filter', 'true or false is expected.', { pointer });
  }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= RATE_LIMIT_MAX) return;
  const words = `A whole number from 0 to ${RATE_LIMIT_MAX} is expected.`;
  throw new EventManagerError('invalid_filter', words, { pointer });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
