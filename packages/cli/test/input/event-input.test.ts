import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEventInput } from '../../src/input/event-input.ts';

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

async function read(text: string, size = 7): Promise<{ text: string; line: number }[]> {
  return all(readEventInput(chunksOf(text, size)));
}

const values = async (text: string, size?: number) => (await read(text, size)).map((found) => JSON.parse(found.text));

describe('readEventInput', () => {
  it('takes one event per line, and says where each is', async () => {
    expect(await read('{"a":1}\n\n{"b":"\\n"}\n  {"c":3}')).toEqual([
      { text: '{"a":1}', line: 1 },
      { text: '{"b":"\\n"}', line: 3 },
      { text: '  {"c":3}', line: 4 },
    ]);
  });

  it('takes an array over several lines, and says where each value begins', async () => {
    const found = await read('\n[\n  {"a": [1, "]"]},\n  {"b": "\\"}, {"},\n{}\n]\n');
    expect(found.map(({ text, line }) => [JSON.parse(text), line])).toEqual([
      [{ a: [1, ']'] }, 3],
      [{ b: '"}, {' }, 4],
      [{}, 5],
    ]);
    expect(await read('[]')).toEqual([]);
  });

  it('takes one event that is written over several lines, or on one without an end of line', async () => {
    expect(await values('{\n  "a": 1\n}\n')).toEqual([{ a: 1 }]);
    expect(await values('{"a":1}')).toEqual([{ a: 1 }]);
    expect(await values('')).toEqual([]);
    expect(await values(' \n \n')).toEqual([]);
  });

  it('lets a line that is no JSON stand alone', async () => {
    const found = await read('{"a":1}\n{"b":\n{"c":3}\n');
    expect(found.map(({ text }) => text)).toEqual(['{"a":1}', '{"b":', '{"c":3}']);
  });

  it('refuses an array that does not end, or that something follows, after what came before', async () => {
    await expect(read('[{"a":1},{"b":')).rejects.toThrow(/not closed \(line 1\)/);
    await expect(read('[{"a":1}]\n{"b":2}')).rejects.toThrow(/behind the array \(line 2\)/);
    const seen: string[] = [];
    const reading = async () => {
      for await (const { text } of readEventInput(chunksOf('[{"a":1},', 3))) seen.push(text);
    };
    await expect(reading()).rejects.toThrow(SyntaxError);
    expect(seen).toEqual(['{"a":1}']);
  });

  it('refuses bytes that are no text', async () => {
    const broken = async function* () {
      yield Uint8Array.of(0x7b, 0xff, 0x7d, 0x0a);
    };
    await expect(all(readEventInput(broken()))).rejects.toThrow(TypeError);
  });

  it.each(['', '[', '{"a":1}\n'])('takes no value that never ends behind %j', async (begin) => {
    let read = 0;
    const endless = async function* () {
      yield begin;
      for (; ; read++) yield 'x'.repeat(1024 * 1024);
    };
    await expect(all(readEventInput(endless()))).rejects.toThrow(/longer than 16 Mi/);
    expect(read).toBeLessThan(20);
  });

  it('gives every list of values back, however it is cut and written', async () => {
    const list = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 });
    const form = fc.constantFrom('lines', 'array', 'pretty');
    const property = fc.asyncProperty(list, form, fc.integer({ min: 1, max: 40 }), async (events, written, size) => {
      const text =
        written === 'lines'
          ? events.map((event) => JSON.stringify(event)).join('\n')
          : JSON.stringify(events, undefined, written === 'pretty' ? 2 : 0);
      expect(await values(text, size)).toEqual(JSON.parse(JSON.stringify(events)));
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('hands an event on before the next one is there', async () => {
    let isAsked = false;
    const slow = async function* () {
      yield '{"a":1}\n{"b":2}\n';
      isAsked = true;
      yield '{"c":3}\n';
    };
    const events = readEventInput(slow());
    expect((await events.next()).value).toEqual({ text: '{"a":1}', line: 1 });
    expect(isAsked).toBe(false);
  });
});
