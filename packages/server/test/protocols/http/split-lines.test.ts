import type { EventManagerError } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BodyBudget } from '../../../src/protocols/http/body-budget.ts';
import { splitLines } from '../../../src/protocols/http/split-lines.ts';

async function* cut(text: string, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let start = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    const end = Math.min(place, bytes.length);
    yield bytes.subarray(start, end);
    start = end;
  }
  yield bytes.subarray(start);
}

/** The lines, and the code of the error that ended them. */
async function collect(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
  budget = new BodyBudget(10 * 1024 * 1024),
): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const group of splitLines(chunks, { lineBytesMax, budget })) {
      lines.push(...group.map((line) => Buffer.from(line).toString()));
    }
  } catch (error) {
    lines.push((error as EventManagerError).code);
  }
  expect(budget.held).toBe(0);
  return lines;
}

it('finds the same lines wherever the chunks are cut, also inside a character', async () => {
  const someText = fc
    .array(fc.constantFrom('a', 'bb', 'é', '\u{1f600}', '\n', '\r\n', ''))
    .map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(someText, fc.array(fc.nat(60)), async (text, places) => {
      const wanted = text.split('\n');
      if (wanted.at(-1) === '') wanted.pop();
      expect(await collect(cut(text, places), 1_000)).toEqual(wanted);
    }),
    { numRuns: 500 },
  );
});

it('ends at a line that is too long wherever it is cut, after those before it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40)), async (places) => {
      const text = `short\n${'y'.repeat(20)}\n${'x'.repeat(21)}\nend`;
      expect(await collect(cut(text, places), 20)).toEqual(['short', 'y'.repeat(20), 'event_too_large']);
    }),
    { numRuns: 200 },
  );
});

it('does not wait for the end of an endless line', async () => {
  let handedOut = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      handedOut++;
      yield Buffer.alloc(64 * 1024, 0x78);
    }
  }
  expect(await collect(endless(), 1024 * 1024)).toEqual(['event_too_large']);
  expect(handedOut).toBe(17);
});

it('takes what it keeps from what all bodies may hold, and gives it back', async () => {
  expect(await collect(cut('0123456789', [3, 5]), 1_000, new BodyBudget(4))).toEqual(['overloaded']);
  expect(await collect(cut('0123456789', [3, 5]), 1_000, new BodyBudget(8_192))).toEqual(['0123456789']);
});
