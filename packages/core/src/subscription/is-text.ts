// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A text of 1 to `charactersMax` characters that can be printed, sent as a header and stored anywhere. */
export function isText(value: unknown, charactersMax: number): value is string {
  const hasLength = typeof value === 'string' && value.length > 0 && value.length <= charactersMax;
  return hasLength && !CONTROL.test(value) && value.isWellFormed();
}
