import { EventPriority, type Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';

const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f';
const LEVEL = `[^./*#+${CONTROL}]+`;
const PATTERN_LEVEL = `(?:[*#+]|${LEVEL})`;
/** The moments that RFC 3339 can write: years 0 to 9999. */
const MS_MIN = -62_167_219_200_000;
const MS_MAX = 253_402_300_799_999;
const PRIORITY_NAMES = Object.keys(EventPriority);

/** A text that names something: no control characters. */
export function nameSchema(limits: Limits, options: TSchemaOptions = {}): TSchema {
  return Type.String({ minLength: 1, maxLength: limits.nameCharactersMax, pattern: `^[^${CONTROL}]+$`, ...options });
}

/** A topic to publish to. */
export function topicSchema(limits: Limits, options: TSchemaOptions = {}): TSchema {
  const pattern = `^(?!\\$sys(?:[./]|$))${LEVEL}(?:[./]${LEVEL}){0,${limits.topicLevelsMax - 1}}$`;
  return Type.String({ minLength: 1, maxLength: limits.topicCharactersMax, pattern, ...options });
}

/** A pattern over topics or types, with at most three wildcards that take several levels. */
export function patternSchema(limits: Limits, options: TSchemaOptions = {}): TSchema {
  const more = `(?:[./]${PATTERN_LEVEL}){0,${limits.topicLevelsMax - 1}}`;
  const pattern = `^(?!(?:[^*#]*[*#]){4})${PATTERN_LEVEL}${more}$`;
  return Type.String({ minLength: 1, maxLength: limits.topicCharactersMax, pattern, ...options });
}

/** A moment as a query parameter: a number there has no fraction. */
export function momentParameter(options: TSchemaOptions): TSchema {
  const milliseconds = Type.Integer({ minimum: MS_MIN, maximum: MS_MAX });
  return Type.Union([Type.String({ format: 'date-time' }), milliseconds], options);
}

export function momentSchema(options: TSchemaOptions = {}): TSchema {
  return Type.Union([Type.String({ format: 'date-time' }), Type.Number({ minimum: MS_MIN, maximum: MS_MAX })], options);
}

/** A text that something is compared with: whatever could be stored. */
export function textSchema(limits: Limits, options: TSchemaOptions = {}): TSchema {
  return Type.String({ minLength: 1, maxLength: limits.nameCharactersMax, pattern: '^[^\\u0000]+$', ...options });
}

/** One of these words. */
export function wordSchema(words: readonly string[], options: TSchemaOptions = {}): TSchema {
  return Type.Enum([...words], { type: 'string', ...options });
}

/** A priority as clients write it; the names are understood in any case. */
export function prioritySchema(options: TSchemaOptions = {}): TSchema {
  return Type.Union([wordSchema(PRIORITY_NAMES), Type.Integer({ minimum: 0, maximum: 3 })], options);
}

/** A whole number as a query parameter, or in a body. */
export function wholeSchema(minimum: number, maximum: number, options: TSchemaOptions = {}): TSchema {
  return Type.Integer({ minimum, maximum, ...options });
}

/** Whatever this service called a cursor: opaque. One of a list is of no use for another list. */
export function cursorSchema(
  of:
    | 'events'
    | 'subscriptions'
    | 'dead-letters'
    | 'topics'
    | 'contexts'
    | 'scheduled'
    | 'keys'
    | 'deliveries'
    | 'runs'
    | 'report'
    | 'projections' = 'events',
  options: TSchemaOptions = {},
): TSchema {
  return Type.String({ format: `${of}-cursor`, ...options });
}

/** Absent on the last page of the library, `null` on the last page over HTTP. */
export const NEXT_CURSOR: TSchema = Type.Union([Type.String(), Type.Null()], {
  description: 'Give it as `cursor` for the next page; null on the last one.',
});
