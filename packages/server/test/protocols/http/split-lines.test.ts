import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Line, splitLines } from '../../../src/protocols/http/split-lines.ts';

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

async function collect(chunks: AsyncIterable<Uint8Array>, lineBytesMax: number): Promise<(string | undefined)[]> {
  const lines: Line[] = [];
  for await (const group of splitLines(chunks, lineBytesMax)) lines.push(...group);
  return lines.map((line) => line && Buffer.from(line).toString());
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

it('gives up a line that is too long wherever it is cut, and takes those around it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40)), fc.boolean(), async (places, isLast) => {
      const text = `short\n${'x'.repeat(21)}\n${'y'.repeat(20)}${isLast ? '' : '\nend'}`;
      const wanted = ['short', undefined, 'y'.repeat(20), ...(isLast ? [] : ['end'])];
      expect(await collect(cut(text, places), 20)).toEqual(wanted);
    }),
    { numRuns: 200 },
  );
});

it('keeps no more than the limit of an endless line', async () => {
  let handedOut = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; handedOut < 1_000; handedOut++) yield Buffer.alloc(64 * 1024, 0x78);
  }
  const before = process.memoryUsage().arrayBuffers;
  expect(await collect(endless(), 1024 * 1024)).toEqual([undefined]);
  expect(handedOut).toBe(1_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
});
