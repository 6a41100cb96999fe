/**
 * Events as people write them into a file or a pipe: one object, a JSON array of objects, or one object per line. They are
 * handed on while they are read, so that the reader's pace becomes the writer's.
 *
 * The first character tells an array. Otherwise the first line decides: when it is a whole JSON value, every line is one, and a
 * line that is not does not spoil the others; when it is not, all of it is one value, written over several lines.
 */
import { boundedText, decodedText } from './bounded-text.ts';
import { splitArray } from './split-array.ts';

export interface EventText {
  /** JSON, not parsed yet. */
  readonly text: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

/** Yields each value. Throws `SyntaxError` for an array that is not one, and for a value that is too long to be an event. */
export async function* readEventInput(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<EventText> {
  const text = decodedText(chunks);
  let begin = '';
  for (;;) {
    const { value, done } = await text.next();
    begin = boundedText(begin + (value ?? ''));
    if (done || begin.trimStart().includes('\n') || /^\s*\[/.test(begin)) break;
  }
  const all = prepended(begin, text);
  if (/^\s*\[/.test(begin)) yield* splitArray(all);
  else if (isWhole(firstLine(begin))) yield* splitLines(all);
  else yield* oneValue(all);
}

async function* splitLines(text: AsyncIterable<string>): AsyncGenerator<EventText> {
  let rest = '';
  let line = 1;
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = boundedText(lines.pop()!);
    for (const found of lines) {
      if (found.trim() !== '') yield { text: found, line };
      line += 1;
    }
  }
  if (rest.trim() !== '') yield { text: rest, line };
}

async function* oneValue(text: AsyncIterable<string>): AsyncGenerator<EventText> {
  let whole = '';
  for await (const chunk of text) whole = boundedText(whole + chunk);
  if (whole.trim() !== '') yield { text: whole, line: 1 };
}

function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0] ?? '';
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function* prepended(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}
