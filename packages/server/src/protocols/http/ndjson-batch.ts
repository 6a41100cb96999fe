/**
 * A batch as newline-delimited JSON: read line by line, stored in groups, answered line by line, so that its size is bounded
 * by nothing but the time it takes. The next group is read only when the one before is stored and its results are handed to
 * the socket: a client has to read while it writes. What is stored stays stored when the connection breaks; the client sends
 * the lines without a result again, under the same ids.
 *
 * Lines that are refused never wait for the store; so the loop of events is let go after each group, and whoever sends
 * nothing but such lines is sent away after a thousand. What ends an upload before its end (that, or a line without end) is
 * its last line.
 */
import {
  type BatchResult,
  type ErrorCode,
  EventManagerError,
  isEventManagerError,
  type Limits,
} from '@event-manager/core';
import { withinEvent } from '../within-event.ts';
import { batchEntry } from './batch-answer.ts';
import type { BodyBudget } from './body-budget.ts';
import { parseBounded } from './parse-bounded.ts';
import { splitLines } from './split-lines.ts';
import { HTTP_STATUS } from './status.ts';

export interface NdjsonBatch {
  readonly body: AsyncIterable<Uint8Array>;
  readonly limits: Limits;
  readonly requestId: string;
  /** Stores a group of parsed events; one result per event. */
  readonly publish: (events: readonly unknown[]) => Promise<readonly BatchResult[]>;
  /** Told of each line that cannot be read, which `publish` never sees. */
  readonly refused?: (code: ErrorCode) => void;
  readonly pause: (delayMs: number) => Promise<void>;
  /** Resolves in the next turn of the event loop. */
  readonly nextTurn: () => Promise<void>;
  readonly budget: BodyBudget;
}

const OVERLOADED_PAUSE_MS = 100;

/** So many events are read and handed to the store at once, however many fit into one chunk of the connection: some milliseconds. */
const GROUP_MAX = 1_000;

/** A client that is right sends the lines that were refused again, and corrected; one that is wrong sends only such. */
const REFUSED_MAX = 1_000;

/** Yields the answer in parts: one line `{index, status, …}` per line of the body that is not blank. */
export async function* answerNdjson(batch: NdjsonBatch): AsyncGenerator<string> {
  let index = 0;
  let refused = 0;
  try {
    for await (const group of groupsOf(batch)) {
      const results = await publishGroup(group, batch);
      yield results.map((result) => entryLine(index++, result, batch.requestId)).join('');
      refused += results.filter((result) => result instanceof EventManagerError).length;
      if (refused >= REFUSED_MAX) throw tooManyErrors(refused);
      await batch.nextTurn();
    }
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    yield entryLine(index, error, batch.requestId);
  }
}

async function* groupsOf({ body, limits, budget }: NdjsonBatch): AsyncGenerator<Uint8Array[]> {
  for await (const lines of splitLines(body, { lineBytesMax: limits.bodyBytesMax, budget })) {
    const events = lines.filter((line) => !isBlank(line));
    for (let start = 0; start < events.length; start += GROUP_MAX) yield events.slice(start, start + GROUP_MAX);
  }
}

async function publishGroup(lines: readonly Uint8Array[], batch: NdjsonBatch): Promise<readonly BatchResult[]> {
  const parsed = lines.map((line) => parseLine(line, batch.limits));
  for (const entry of parsed) if (entry instanceof EventManagerError) batch.refused?.(entry.code);
  const good = parsed.flatMap((entry) => (entry instanceof EventManagerError ? [] : [entry.value]));
  const stored = good.length === 0 ? [] : await publishAll(good, batch);
  let next = 0;
  return parsed.map((entry) => {
    const result = entry instanceof EventManagerError ? entry : stored[next++]!;
    return result instanceof EventManagerError && result !== entry ? withinEvent(result) : result;
  });
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

function parseLine(line: Uint8Array, limits: Limits): { value: unknown } | EventManagerError {
  try {
    return { value: parseBounded(line, limits) };
  } catch (error) {
    if (isEventManagerError(error)) return error;
    throw error;
  }
}

/** Of an error only what a program needs: words for each of many lines would make the answer far larger than the upload. */
function entryLine(index: number, result: BatchResult, requestId: string): string {
  if (!(result instanceof EventManagerError)) return `${JSON.stringify({ index, ...batchEntry(result, requestId) })}\n`;
  const { code, retryable, details } = result;
  const { pointer, retryAfterMs } = details;
  return `${JSON.stringify({ index, status: HTTP_STATUS[code], error: { code, retryable, pointer, retryAfterMs } })}\n`;
}

function tooManyErrors(refused: number): EventManagerError {
  return new EventManagerError('too_many_errors', `${refused} lines were refused; the rest was not read.`);
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
