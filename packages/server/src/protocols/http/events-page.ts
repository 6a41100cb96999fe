import type { EventsFound } from '../../operations/find-events.ts';

/** `{data, nextCursor, complete}` with the stored JSON of each event as it is: nothing is decoded to be encoded again. */
export function eventsPage({ records, nextCursor, complete }: EventsFound): Buffer {
  const parts: Uint8Array[] = [Buffer.from('{"data":[')];
  for (const [index, record] of records.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(record.body);
  }
  parts.push(Buffer.from(`],"nextCursor":${JSON.stringify(nextCursor ?? null)},"complete":${complete}}`));
  return Buffer.concat(parts);
}

const COMMA = Buffer.from(',');
