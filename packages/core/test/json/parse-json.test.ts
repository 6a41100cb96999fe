import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/json/parse-json.ts';
import { refusal } from '../refusal.ts';

const parse = (input: string | Uint8Array) => parseJson(input, { depthMax: 64 });

describe('parseJson', () => {
  it('reads what JSON.parse reads, from text and from bytes, however it is indented', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' }),
        fc.integer({ min: 0, max: 3 }),
        (value, indent) => {
          const text = JSON.stringify(value, undefined, indent);
          if (text.includes('\\u0000') || text.includes('__proto__')) return;
          expect(parse(text)).toEqual(JSON.parse(text));
          expect(parse(Buffer.from(text))).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it('never throws anything but its own errors, whatever the text', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ':',
      ',',
      '1',
      'e',
      '-',
      '.',
      'null',
      '\\u',
      'd8',
      'a',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (texts) => {
        const text = texts.join('');
        let parsed = true;
        try {
          JSON.parse(text);
        } catch {
          parsed = false;
        }
        const outcome = refusal(() => parse(text));
        if (!parsed) expect(outcome).toBe('invalid_json at ');
        else expect(outcome).toMatch(/^(nothing was refused|invalid_json at .*)$/);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['1.0', 1],
    ['1e2', 100],
    ['0.1', 0.1],
    ['-0', -0],
    ['0e999', 0],
    ['-999999999999999e-99', -999999999999999e-99],
    ['1E+300', 1e300],
    ['123456789012345680000', 123456789012345680000],
    ['0.30000000000000004', 0.30000000000000004],
    ['0.10000000000000001', 0.1],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', Number.MIN_VALUE],
    ['7.174648137343064e-43', Number('7.174648137343064e-43')],
    ['9007199254740992', 2 ** 53],
    ['"\\u00e9\\ud83d\\ude42"', 'é🙂'],
    ['"\\\\u0000 \\\\ud800"', '\\u0000 \\ud800'],
    ['{"a":{"b":1},"b":{"b":1}}', { a: { b: 1 }, b: { b: 1 } }],
    ['{":":":"}', { ':': ':' }],
    ['{"constructor":{"prototype":1}}', { constructor: { prototype: 1 } }],
  ])('takes %s', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('keeps every number that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parse(JSON.stringify([value]))).toEqual([value === 0 ? 0 : value]);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['', ''],
    ['{', ''],
    ['nul', ''],
    ["{'a':1}", ''],
    ['{"a":1,}', ''],
    ['[1] 2', ''],
    ['01', ''],
    ['NaN', ''],
    ['"a\u0000b"', ''],
    ['\ufeff{}', ''],
    ['[1,12345678901234567890]', '/1'],
    ['{"a":{"b":[0,1e400]}}', '/a/b/1'],
    ['{"a":-1e-400}', '/a'],
    ['{"a":1234567890123456789e5}', '/a'],
    ['{"a":1E999}', '/a'],
    ['[9007199254740993]', '/0'],
    ['{"a":0.1234567890123456789}', '/a'],
    ['{"a":1,"a":1}', '/a'],
    ['{"x":[{"a":1,"b":{},"\\u0061":2}]}', '/x/0/a'],
    ['{"a/b~":{"c":1,"c":2}}', '/a~1b~0/c'],
    ['{"__proto__":{"admin":true}}', '/__proto__'],
    ['{"a":[{"\\u005f_proto__":1}]}', '/a/0/__proto__'],
    ['["a\\u0000b"]', '/0'],
    ['{"a\\u0000":1}', '/a\0'],
    ['{"a":"\\ud800"}', '/a'],
    ['{"a":"\\udc00\\ud800"}', '/a'],
    ['["\ud800"]', '/0'],
  ])('refuses %j and says where', (text, pointer) => {
    expect(refusal(() => parse(text))).toBe(`invalid_json at ${pointer}`);
  });

  it.each([
    [[0xff]],
    [[0x22, 0xc3, 0x22]],
    [[0x22, 0xed, 0xa0, 0x80, 0x22]],
    [[0xef, 0xbb, 0xbf, 0x31]],
    [[0x22, 0xc0, 0x80, 0x22]],
  ])('refuses the bytes %j: no replacement character may creep in', (bytes) => {
    expect(refusal(() => parse(Uint8Array.from(bytes)))).toBe('invalid_json at ');
  });

  it('puts the prefix before the pointer', () => {
    expect(refusal(() => parseJson('{"a":1e999}', { depthMax: 4, pointerPrefix: '/lines/3' }))).toBe(
      'invalid_json at /lines/3/a',
    );
  });

  it('takes the deepest value allowed and refuses one level more, naming it', () => {
    const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
    expect(() => parse(nested(64))).not.toThrow();
    expect(refusal(() => parse(nested(66)))).toBe(`too_deep at ${'/0/a'.repeat(32)}`);
    expect(refusal(() => parse('['.repeat(4_000_000)))).toMatch(/^too_deep at (\/0)+$/);
  });

  it('says where the syntax is broken and never repeats the input', () => {
    try {
      parse('{"password":"hunter2",,}');
      expect.fail('was read');
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_json', details: { pointer: '', offset: 22 } });
      expect(`${error}`).not.toContain('hunter2');
    }
  });

  it('cuts a huge key in the pointer: an answer must not be as large as the attack', () => {
    const key = 'k'.repeat(1_000_000);
    expect(refusal(() => parse(`{"${key}":1e999}`)).length).toBeLessThan(300);
  });

  it('pollutes nothing', () => {
    refusal(() => parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
