/**
 * No service takes an event of this size, and whatever is longer is no event: a file that was named by mistake, or a device that
 * never ends. Reading it to its end would take the memory of the machine before anybody is told.
 */
const CHARACTERS_MAX = 16 * 1024 * 1024;

/** Returns the text. Throws `SyntaxError` for one that is too long. */
export function boundedText(text: string): string {
  if (text.length > CHARACTERS_MAX) throw new SyntaxError('A value is longer than 16 Mi characters.');
  return text;
}

/** All of a stream as one text. Throws `SyntaxError` when it is too long, `TypeError` when it is no UTF-8. */
export async function readBoundedText(chunks: AsyncIterable<string | Uint8Array>): Promise<string> {
  let whole = '';
  for await (const text of decodedText(chunks)) whole = boundedText(whole + text);
  return whole;
}

/** The text of the bytes. Throws `TypeError` where they are no UTF-8. */
export async function* decodedText(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
