import { EventManagerError } from '../errors/event-manager-error.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Reads a required text that names something: not empty, no control characters, at most `charactersMax` UTF-16 units.
 * Throws `invalid_event`.
 */
export function readName(value: unknown, charactersMax: number, pointer: string): string {
  if (typeof value !== 'string' || value.length === 0) throw wrong('A text that is not empty is expected.', pointer);
  if (value.length > charactersMax) throw wrong(`The text is longer than ${charactersMax} characters.`, pointer);
  if (CONTROL.test(value) || !value.isWellFormed()) {
    throw wrong('The text holds a control character or half of a surrogate pair.', pointer);
  }
  return value;
}

/** The same for a text that may be absent. */
export function readOptionalName(value: unknown, charactersMax: number, pointer: string): string | undefined {
  return value === undefined ? undefined : readName(value, charactersMax, pointer);
}

function wrong(text: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_event', text, { pointer });
}
