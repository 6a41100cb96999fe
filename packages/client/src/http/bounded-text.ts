import { EventManagerError } from '@event-manager/core/portable';

/** Far above the largest page of a service, and nothing that a program would notice. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The body of an answer as text. Whoever else answers at the address may send without an end: what is too much is not read, and
 * ends as `internal`, since no service of ours answers so.
 */
export async function boundedText(response: Response, bytesMax = ANSWER_BYTES_MAX): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // To leave the loop early ends the connection.
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      const words = `The answer has more than ${bytesMax} bytes: it does not come from an event manager.`;
      throw new EventManagerError('internal', words);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
