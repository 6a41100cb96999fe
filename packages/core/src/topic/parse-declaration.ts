import { EventManagerError } from '../errors/event-manager-error.ts';
import { checkJson } from '../json/check-json.ts';
import { fieldTable, type ReadFields, readFields } from '../json/read-fields.ts';
import type { JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import { isStandardSchema, type StandardSchema } from '../typed/standard-schema.ts';
import { isReserved, parseTopic } from './topic.ts';
import type { Compatibility } from './topic-info.ts';

const DESCRIPTION_CHARACTERS_MAX = 4_096;

const CHANGE_FIELDS = ['schema', 'description', 'compatibility'] as const;
export const TOPIC_FIELDS = fieldTable(['topic', ...CHANGE_FIELDS]);
export const SCHEMA_FIELDS = fieldTable(CHANGE_FIELDS);

/** What somebody wants of a topic, read and checked except for the schema's own rules. */
export interface Declaration {
  readonly schema?: JsonValue;
  /** A schema of a library of this process. */
  readonly standard?: StandardSchema;
  readonly description?: string;
  readonly compatibility?: Compatibility;
}

export interface NamedDeclaration extends Declaration {
  readonly topic: string;
  readonly canonical: string;
}

/** Throws `invalid_topic`, `topic_reserved`, `invalid_schema`, `too_deep`, each with `details.pointer`. */
export function parseDeclaration(input: unknown, limits: Limits): NamedDeclaration {
  const fields = readFields(input, TOPIC_FIELDS, { code: 'invalid_topic', pointer: '' });
  const topic = fields.get('topic');
  if (typeof topic !== 'string') throw wrong('A topic is a text.', '/topic');
  return { topic, canonical: declarable(topic, limits), ...readDeclaration(fields, limits) };
}

/** As `parseDeclaration`, for a new version of the schema of a topic that is known, which is why there has to be one. */
export function parseSchemaChange(input: unknown, limits: Limits): Declaration {
  const fields = readFields(input, SCHEMA_FIELDS, { code: 'invalid_topic', pointer: '' });
  const declaration = readDeclaration(fields, limits);
  if (declaration.schema !== undefined || declaration.standard) return declaration;
  throw new EventManagerError('invalid_schema', 'A new version needs a schema.', { pointer: '/schema' });
}

function declarable(topic: string, limits: Limits): string {
  const canonical = parseTopic(topic, limits, '/topic');
  if (!isReserved(canonical)) return canonical;
  throw new EventManagerError('topic_reserved', 'Topics under $sys belong to the bus itself.', { pointer: '/topic' });
}

function readDeclaration(fields: ReadFields, limits: Limits): Declaration {
  const description = readDescription(fields);
  const compatibility = readCompatibility(fields);
  return {
    ...readSchema(fields.get('schema'), limits),
    ...(description === undefined ? {} : { description }),
    ...(compatibility === undefined ? {} : { compatibility }),
  };
}

function readSchema(schema: unknown, limits: Limits): Pick<Declaration, 'schema' | 'standard'> {
  if (schema === undefined) return {};
  if (isStandardSchema(schema)) return { standard: schema };
  const pointer = '/schema';
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    throw new EventManagerError('invalid_schema', 'A JSON Schema is an object or a boolean.', { pointer });
  }
  checkJson(schema, { depthMax: limits.depthMax, pointer, code: 'invalid_schema' });
  const text = JSON.stringify(schema);
  const maximum = limits.schemaBytesMax;
  if (Buffer.byteLength(text) > maximum) {
    const words = `A schema has at most ${maximum} bytes.`;
    throw new EventManagerError('invalid_schema', words, { pointer, limit: 'schemaBytesMax', maximum });
  }
  // Taken from the text: nobody can change it afterwards.
  return { schema: JSON.parse(text) as JsonValue };
}

function readDescription(fields: ReadFields): string | undefined {
  const text = fields.get('description');
  if (text === undefined) return undefined;
  const isText = typeof text === 'string' && text.length <= DESCRIPTION_CHARACTERS_MAX;
  if (isText && text.isWellFormed() && !text.includes('\0')) return text;
  throw wrong(`A description is a text of at most ${DESCRIPTION_CHARACTERS_MAX} characters.`, '/description');
}

function readCompatibility(fields: ReadFields): Compatibility | undefined {
  const word = fields.get('compatibility');
  if (word === undefined || word === 'backward' || word === 'none') return word;
  throw wrong('Compatibility is backward or none.', '/compatibility');
}

function wrong(words: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_topic', words, { pointer });
}
