/**
 * A walk over a schema before anything is made of it: every keyword is known, every reference leads somewhere inside, nothing is
 * larger than it may be, and no schema leads back to itself without looking deeper into the payload, which would never end.
 * Whatever is wrong is told with its place.
 */
import { EventManagerError, type JsonObject, type JsonValue, jsonPointer } from '@event-manager/core';
import type { Effort } from './effort.ts';
import { FORMATS } from './formats.ts';
import { IN_PLACE, KEYWORDS, type KeywordValue } from './keywords.ts';
import { type SafePattern, safePattern } from './safe-pattern.ts';
import type { SchemaLimits } from './schema-limits.ts';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
const ANCHOR = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;

export interface InspectedSchema {
  /** Every pattern of the schema, ready to be used. */
  readonly patterns: ReadonlyMap<string, SafePattern>;
}

interface Found {
  readonly limits: SchemaLimits;
  readonly effort: Effort;
  readonly patterns: Map<string, SafePattern>;
  /** The places where schemas stand, each with those that look at the same value. */
  readonly places: Map<string, string[]>;
  readonly anchors: Map<string, string>;
  readonly references: { readonly from: string; readonly reference: string }[];
  patternSize: number;
  entries: number;
}

/** Throws `invalid_schema` with `details.pointer`. */
export function inspectSchema(schema: JsonValue, limits: SchemaLimits, effort: Effort): InspectedSchema {
  const found: Found = {
    limits,
    effort,
    patterns: new Map(),
    places: new Map(),
    anchors: new Map(),
    references: [],
    patternSize: 0,
    entries: 0,
  };
  inspect(schema, '', 1, found);
  resolveReferences(found);
  refuseEndless(found.places);
  return { patterns: found.patterns };
}

function inspect(schema: JsonValue | undefined, pointer: string, depth: number, found: Found): void {
  const { limits } = found;
  count(1, pointer, found);
  if (depth > limits.depthMax) throw wrong(`Schemas are nested at most ${limits.depthMax} deep.`, pointer);
  found.places.set(pointer, []);
  if (typeof schema === 'boolean') return;
  if (!isObject(schema)) throw wrong('A schema is an object or a boolean.', pointer);
  for (const [keyword, value] of Object.entries(schema)) {
    const kind = KEYWORDS.get(keyword) ?? (keyword.startsWith('x-') ? 'annotation' : undefined);
    const place = jsonPointer(pointer, keyword);
    if (kind === undefined) {
      throw wrong('This keyword is not one of JSON Schema 2020-12 that are supported; your own begin with x-.', place);
    }
    inspectKeyword({ keyword, kind, value, place, owner: pointer, depth }, found);
  }
}

interface KeywordAt {
  readonly keyword: string;
  readonly kind: KeywordValue;
  readonly value: JsonValue;
  readonly place: string;
  /** The schema it stands in. */
  readonly owner: string;
  readonly depth: number;
}

function inspectKeyword(at: KeywordAt, found: Found): void {
  const { keyword, kind, value, place, owner, depth } = at;
  const within = (schema: JsonValue | undefined, pointer: string) => {
    if (IN_PLACE.has(keyword)) found.places.get(owner)!.push(pointer);
    inspect(schema, pointer, depth + 1, found);
  };
  if (kind === 'schema') within(value, place);
  else if (kind === 'schemas') {
    if (!Array.isArray(value)) throw wrong('A list of schemas is expected.', place);
    for (const [index, entry] of value.entries()) within(entry, jsonPointer(place, index));
  } else if (kind === 'named-schemas') {
    if (!isObject(value)) throw wrong('An object of schemas is expected.', place);
    for (const [name, entry] of Object.entries(value)) {
      // Held whole, not shortened as for people: references are compared with it.
      within(entry, `${place}/${escaped(name)}`);
      if (keyword === 'patternProperties') addPattern(name, jsonPointer(place, name), found);
    }
  } else if (kind === 'reference') inspectReference(at, found);
  else if (keyword === 'dependentRequired' && isObject(value)) count(Object.keys(value).length, place, found);
}

function inspectReference({ keyword, value, place, owner }: KeywordAt, found: Found): void {
  if (typeof value !== 'string') throw wrong('A text is expected.', place);
  switch (keyword) {
    case '$schema':
      if (value.replace(/#$/, '') !== DRAFT) throw wrong(`Schemas are those of ${DRAFT}.`, place);
      break;
    case '$id':
      if (owner !== '') throw wrong('Only the schema as a whole may have an $id.', place);
      break;
    case '$anchor':
      if (!ANCHOR.test(value) || found.anchors.has(value)) throw wrong('An anchor is a name of its own.', place);
      found.anchors.set(value, owner);
      break;
    case '$ref':
      if (!value.startsWith('#'))
        throw wrong('References lead to other places of the same schema: they begin with #.', place);
      found.references.push({ from: owner, reference: value });
      break;
    case 'format':
      if (FORMATS.has(value)) break;
      throw wrong(`This format is not known; known are ${[...FORMATS.keys()].join(', ')}.`, place);
    default:
      addPattern(value, place, found);
  }
}

function addPattern(pattern: string, place: string, found: Found): void {
  if (found.patterns.has(pattern)) return;
  const { limits, effort } = found;
  if (pattern.length > limits.patternCharactersMax) {
    throw wrong(`A pattern has at most ${limits.patternCharactersMax} characters.`, place);
  }
  let compiled: SafePattern;
  try {
    compiled = safePattern(pattern, effort, limits.matchStepsMax);
  } catch {
    throw wrong(
      'The pattern cannot be read; looking ahead or behind and references to groups are not supported.',
      place,
    );
  }
  found.patternSize += compiled.size;
  if (found.patternSize > limits.patternSizeMax)
    throw wrong('The patterns of the schema are too large together.', place);
  found.patterns.set(pattern, compiled);
}

function count(entries: number, place: string, found: Found): void {
  found.entries += entries;
  const maximum = found.limits.subschemasMax;
  if (found.entries > maximum) throw wrong(`A schema has at most ${maximum} subschemas.`, place);
}

function resolveReferences({ references, places, anchors }: Found): void {
  for (const { from, reference } of references) {
    const target = decoded(reference.slice(1));
    const place = target === undefined || target === '' || target.startsWith('/') ? target : anchors.get(target);
    if (place === undefined || !places.has(place)) {
      throw wrong('The reference leads to nothing that is a schema.', jsonPointer(from, '$ref'));
    }
    places.get(from)!.push(place);
  }
}

function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

/** Depth first; a place that is come to again while it is under way closes a circle. */
function refuseEndless(places: ReadonlyMap<string, readonly string[]>): void {
  const state = new Map<string, 'under way' | 'done'>();
  const visit = (place: string): void => {
    if (state.get(place) === 'done') return;
    if (state.has(place))
      throw wrong('The schema leads back to itself without looking deeper into the payload.', place);
    state.set(place, 'under way');
    for (const next of places.get(place)!) visit(next);
    state.set(place, 'done');
  };
  for (const place of places.keys()) visit(place);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(words: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_schema', words, { pointer });
}
