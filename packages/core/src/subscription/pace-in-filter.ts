import { EventManagerError } from '../errors/event-manager-error.ts';
import { FILTER_FIELDS } from '../filter/aliases.ts';
import type { PaceInFilter } from '../filter/parse-filter.ts';
import { fieldName } from '../json/read-fields.ts';
import { OPTION_FIELDS } from './subscription-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The options that may stand in a filter, as filters of assistants have them. */
const PACE = ['rateLimitPerMinute', 'smartBatching'];

/** The options with what the filter says of the pace. Throws `invalid_subscription` for what both say. */
export function withPace(options: unknown, pace: PaceInFilter): unknown {
  const given = Object.entries(pace);
  if (given.length === 0 || !isFields(options)) return options;
  for (const [name, { pointer }] of given) {
    if (!Object.entries(options).some(([key, value]) => value !== undefined && optionNamed(key) === name)) continue;
    throw new EventManagerError('invalid_subscription', `The option ${name} is given twice: here and in options.`, {
      pointer,
    });
  }
  return { ...options, ...Object.fromEntries(given.map(([name, { value }]) => [name, value])) };
}

/** Stored options without those that the filter of a change says anew. */
export function withoutPaceOf(filter: unknown, options: Fields): Fields {
  if (!isFields(filter)) return options;
  const said = new Set(Object.keys(filter).map((key) => fieldName(FILTER_FIELDS, key)));
  const isKept = ([key]: [string, unknown]) => !(PACE.includes(key) && said.has(key));
  return Object.fromEntries(Object.entries(options).filter(isKept));
}

function optionNamed(key: string): string | undefined {
  return fieldName(OPTION_FIELDS, key);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
