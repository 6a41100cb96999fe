import { EventManagerError } from '@event-manager/core';
import type { BodyBudget } from './body-budget.ts';
import { ByteCollector } from './byte-collector.ts';

const LINE_FEED = 0x0a;

export interface SplitLinesOptions {
  readonly lineBytesMax: number;
  readonly budget: BodyBudget;
}

/**
 * Cuts a stream of bytes into lines and hands over all that are complete after each chunk. Asking for the next group only
 * when the last was dealt with makes the sender wait. Empty lines are lines. Throws `event_too_large` as soon as a line is
 * too long, after the lines before it, without waiting for its end, which may never come; and `overloaded` when the bodies
 * of all requests hold too much.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  { lineBytesMax, budget }: SplitLinesOptions,
): AsyncGenerator<Uint8Array[]> {
  const rest = new ByteCollector(budget);
  try {
    for await (const chunk of chunks) {
      const lines: Uint8Array[] = [];
      let start = 0;
      let tooLong = false;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0 && !tooLong; end = chunk.indexOf(LINE_FEED, start)) {
        const line = withRest(rest, chunk.subarray(start, end), lineBytesMax);
        if (line === undefined) tooLong = true;
        else lines.push(line);
        start = end + 1;
      }
      if (lines.length > 0) yield lines;
      if (tooLong || rest.length + chunk.length - start > lineBytesMax) throw lineTooLong(lineBytesMax);
      rest.add(chunk.subarray(start));
    }
    if (rest.length > 0) yield [rest.bytes];
  } finally {
    rest.clear();
  }
}

/** The whole line; `undefined` when it is too long. */
function withRest(rest: ByteCollector, part: Uint8Array, lineBytesMax: number): Uint8Array | undefined {
  if (rest.length + part.length > lineBytesMax) return undefined;
  if (rest.length === 0) return part;
  rest.add(part);
  const line = rest.bytes;
  rest.clear();
  return line;
}

function lineTooLong(maximum: number): EventManagerError {
  return new EventManagerError('event_too_large', 'The line is longer than limits.bodyBytesMax.', {
    pointer: '',
    limit: 'bodyBytesMax',
    maximum,
  });
}
