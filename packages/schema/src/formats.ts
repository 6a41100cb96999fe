import { fastFormats, fullFormats } from 'ajv-formats/dist/formats.js';

/** No address, date or id is longer; the expressions below are quick on texts of this length (tested), and only on those. */
const CHARACTERS_MAX = 2_048;

/**
 * The formats that are checked. Those of `ajv-formats` are expressions on JavaScript's own engine, so they are few, known, and
 * given short texts alone. A format that is not here is refused: checking nothing in silence would be worse.
 */
const CHECKED = {
  date: fullFormats.date,
  time: fullFormats.time,
  'date-time': fullFormats['date-time'],
  duration: fullFormats.duration,
  email: fastFormats.email,
  hostname: fullFormats.hostname,
  ipv4: fullFormats.ipv4,
  ipv6: fullFormats.ipv6,
  uri: fastFormats.uri,
  'uri-reference': fastFormats['uri-reference'],
  uuid: fullFormats.uuid,
  'json-pointer': fullFormats['json-pointer'],
  'relative-json-pointer': fullFormats['relative-json-pointer'],
} as const;

/** Each with its test, which is a function or an expression. */
export const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map(
  Object.entries(CHECKED).map(([name, format]) => [name, shortOnly(testOf(format))]),
);

function shortOnly(test: (text: string) => boolean): (text: string) => boolean {
  return (text) => text.length <= CHARACTERS_MAX && test(text);
}

function testOf(format: unknown): (text: string) => boolean {
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === 'function') return format as (text: string) => boolean;
  return testOf((format as { readonly validate: unknown }).validate);
}
