import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';

const HEADERS_MAX = 50;
/** The base64 of 24 to 64 bytes, as it is written: what the last character has too many bits for is zero. */
const SIX_BITS = '[A-Za-z0-9+/]';
const ONE_BYTE = `${SIX_BITS}[AQgw](?:==)?`;
const TWO_BYTES = `${SIX_BITS}{2}[AEIMQUYcgkosw048]=?`;
const THREE_BYTES = `(?:${SIX_BITS}{4})`;
const SECRET = `^whsec_(?:${THREE_BYTES}{8,20}(?:${ONE_BYTE}|${TWO_BYTES})?|${THREE_BYTES}{21}(?:${ONE_BYTE})?)$`;
const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/** A URL that something is sent to, of one of these schemes. */
export function endpointSchema(limits: Limits, schemes: readonly string[], options: TSchemaOptions = {}): TSchema {
  return Type.String({
    format: 'uri',
    pattern: `^(?:${schemes.join('|')})://[^\\s/?#@\\\\]+(?:[/?][^#\\s]*)?$`,
    maxLength: limits.endpointCharactersMax,
    ...options,
  });
}

export function secretSchema(): TSchema {
  return Type.String({
    pattern: SECRET,
    description: 'Signs what is sent (Standard Webhooks): `whsec_` and the base64 of 24 to 64 bytes.',
  });
}

export function headersSchema(): TSchema {
  const value = Type.String({ minLength: 1, maxLength: 4_096, pattern: '^[\\u0020-\\u007e\\u00a0-\\u00ff]+$' });
  return Type.Record(Type.String(), value, {
    // Not patternProperties: what emits the document would rewrite those for OpenAPI 3.0.
    propertyNames: { pattern: HEADER_NAME },
    maxProperties: HEADERS_MAX,
    description: 'Sent along; none that HTTP or the bus sets itself.',
  });
}
