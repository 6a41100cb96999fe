// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ASCII = /^[\u0000-\u007f]*$/;
const encoder = new TextEncoder();

/** How many bytes a text has in UTF-8. */
export function utf8Bytes(text: string): number {
  return ASCII.test(text) ? text.length : encoder.encode(text).length;
}
