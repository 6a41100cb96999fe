const LINE_FEED = 0x0a;

/** One line as it came; `undefined` when it was longer than the limit, of which no more than the limit was kept meanwhile. */
export type Line = Uint8Array | undefined;

/**
 * Cuts a stream of bytes into lines and hands over all that are complete after each chunk. Asking for the next group only
 * when the last was dealt with makes the sender wait. Empty lines are lines.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, lineBytesMax: number): AsyncGenerator<Line[]> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let overflowed = false;
  const keep = (part: Uint8Array) => {
    restBytes += part.length;
    overflowed ||= restBytes > lineBytesMax;
    if (overflowed) rest = [];
    else if (part.length > 0) rest.push(part);
  };
  const finish = (): Line => {
    const line = overflowed ? undefined : rest.length === 1 ? rest[0] : Buffer.concat(rest);
    rest = [];
    restBytes = 0;
    overflowed = false;
    return line;
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end));
      lines.push(finish());
      start = end + 1;
    }
    keep(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [finish()];
}
