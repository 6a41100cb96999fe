import { EventManagerError } from '../errors/event-manager-error.ts';
import { KnownTexts, onePiece } from './known-texts.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

const KNOWN = new KnownTexts<string>();

/**
 * Reads a required text that names something: not empty, no control characters, at most `charactersMax` UTF-16 units.
 * It stands under `key` of what `parent` points to. Throws `invalid_event`.
 */
export function readName(value: unknown, charactersMax: number, parent: string, key: string): string {
  if (typeof value !== 'string' || value.length === 0)
    throw wrong('A text that is not empty is expected.', parent, key);
  if (value.length > charactersMax) throw wrong(`The text is longer than ${charactersMax} characters.`, parent, key);
  if (CONTROL.test(value) || !value.isWellFormed()) {
    throw wrong('The text holds a control character or half of a surrogate pair.', parent, key);
  }
  return value;
}

/** The same for a text that may be absent. */
export function readOptionalName(
  value: unknown,
  charactersMax: number,
  parent: string,
  key: string,
): string | undefined {
  return value === undefined ? undefined : readName(value, charactersMax, parent, key);
}

/** The same for a name that many events share. */
export function readSharedName(value: unknown, charactersMax: number, parent: string, key: string): string {
  const known = typeof value === 'string' && value.length <= charactersMax ? KNOWN.get(value) : undefined;
  if (known !== undefined) return known;
  const name = onePiece(readName(value, charactersMax, parent, key));
  KNOWN.put(name, name);
  return name;
}

function wrong(text: string, parent: string, key: string): EventManagerError {
  return new EventManagerError('invalid_event', text, { pointer: `${parent}/${key}` });
}
