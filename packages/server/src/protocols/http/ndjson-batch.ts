/**
 * A batch as newline-delimited JSON: read line by line, stored in groups, answered line by line, so that its size is bounded
 * by nothing but the time it takes. The next group is read only when the one before is stored and its results are handed to
 * the socket: a client has to read while it writes. What is stored stays stored when the connection breaks; the client sends
 * the lines without a result again, under the same ids.
 */
import { type BatchResult, EventManagerError, isEventManagerError, type Limits, parseJson } from '@event-manager/core';
import { batchEntry } from './batch-answer.ts';
import { type Line, splitLines } from './split-lines.ts';

export interface NdjsonBatch {
  readonly body: AsyncIterable<Uint8Array>;
  readonly limits: Limits;
  readonly requestId: string;
  /** Stores a group of parsed events; one result per event. */
  readonly publish: (events: readonly unknown[]) => Promise<readonly BatchResult[]>;
  readonly pause: (delayMs: number) => Promise<void>;
}

const OVERLOADED_PAUSE_MS = 100;

/** So many events are handed to the store at once, however many fit into one chunk of the connection. */
const GROUP_MAX = 1_000;

/** Yields the answer in parts: one line `{index, status, …}` per line of the body that is not blank. */
export async function* answerNdjson(batch: NdjsonBatch): AsyncGenerator<string> {
  let index = 0;
  for await (const lines of splitLines(batch.body, batch.limits.bodyBytesMax)) {
    const events = lines.filter((line) => line === undefined || !isBlank(line));
    for (let start = 0; start < events.length; start += GROUP_MAX) {
      const group = events.slice(start, start + GROUP_MAX);
      const results = await publishGroup(group, batch);
      yield results.map((result) => entryLine(index++, result, batch.requestId)).join('');
    }
  }
}

async function publishGroup(lines: readonly Line[], batch: NdjsonBatch): Promise<readonly BatchResult[]> {
  const parsed = lines.map((line) => parseLine(line, batch.limits));
  const good = parsed.flatMap((entry) => (entry instanceof EventManagerError ? [] : [entry.value]));
  const stored = good.length === 0 ? [] : await publishAll(good, batch);
  let next = 0;
  return parsed.map((entry) => (entry instanceof EventManagerError ? entry : withoutIndex(stored[next++]!)));
}

/**
 * While too much is waiting for the store this waits, too, and with it the sender: that is what a stream is for. Any other
 * refusal of the whole group is the result of each of its lines: the answer has begun, there is no other place for it.
 */
async function publishAll(events: readonly unknown[], batch: NdjsonBatch): Promise<readonly BatchResult[]> {
  for (;;) {
    try {
      return await batch.publish(events);
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      if (error.code !== 'overloaded') return events.map(() => error);
      await batch.pause(error.details.retryAfterMs ?? OVERLOADED_PAUSE_MS);
    }
  }
}

function parseLine(line: Line, { depthMax, bodyBytesMax }: Limits): { value: unknown } | EventManagerError {
  if (line === undefined) {
    return new EventManagerError('event_too_large', 'The line is longer than limits.bodyBytesMax.', {
      pointer: '',
      limit: 'bodyBytesMax',
      maximum: bodyBytesMax,
    });
  }
  try {
    return { value: parseJson(line, { depthMax }) };
  } catch (error) {
    if (isEventManagerError(error)) return error;
    throw error;
  }
}

/** A pointer of a group begins with the place in that group, which the client never saw; here it begins in the line. */
function withoutIndex(result: BatchResult): BatchResult {
  if (!(result instanceof EventManagerError) || result.details.pointer === undefined) return result;
  const pointer = result.details.pointer.replace(/^\/\d+(?=\/|$)/, '');
  return new EventManagerError(result.code, result.message, { ...result.details, pointer }, result.cause);
}

function entryLine(index: number, result: BatchResult, requestId: string): string {
  return `${JSON.stringify({ index, ...batchEntry(result, requestId) })}\n`;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
