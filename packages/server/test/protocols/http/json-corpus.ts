/**
 * Texts at the edge of JSON and beyond it. None has to be refused or taken; what is taken has to come back as it was sent, and
 * what is refused has to be refused in words. Made rather than listed, so that each idea is there at every place where it could matter.
 */
export interface CorpusCase {
  readonly name: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType?: string | readonly string[];
}

const DEPTHS = [
  1, 2, 10, 50, 60, 61, 62, 63, 64, 65, 66, 70, 100, 128, 256, 500, 512, 1_000, 1_024, 2_000, 5_000, 10_000, 20_000,
  50_000, 100_000, 200_000,
];
const SHAPES: readonly (readonly [name: string, open: string, close: string])[] = [
  ['lists', '[', ']'],
  ['objects', '{"a":', '}'],
  ['both in turn', '[{"a":', '}]'],
  ['lists after a value', '[0,', ']'],
];

const STRANGE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'isPrototypeOf',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  'toJSON',
  'then',
  'length',
  '$where',
  '$ne',
  '',
  ' ',
  '.',
  '/',
  '~0',
  '0',
  '-1',
  'then.catch',
];
const STRANGE_VALUES = [
  '{"polluted":true}',
  '{"prototype":{"polluted":true}}',
  '[{"polluted":1}]',
  'null',
  '"polluted"',
];

const NUMBERS = (
  '0 -0 0.0 -0.0 1 -1 1.0 1.10 0.1 0.30000000000000004 1e0 1E5 1e+5 1e-5 1e05 1e308 1.7976931348623157e308 1.7976931348623159e308 ' +
  '1e309 1e400 -1e400 1e999999 5e-324 2e-324 1e-400 4.9e-324 2.2250738585072014e-308 9007199254740991 9007199254740992 9007199254740993 ' +
  '-9007199254740993 12345678901234567890 100000000000000000000 123456789012345678 1e21 1e22 1e23 0.1e1 00 01 -01 -  - + +1 .5 5. -.5 1. 1.e5 ' +
  '1e 1e+ 1e- 1e1.5 0x10 0b1 0o7 1_000 1,000 Infinity -Infinity NaN -NaN inf 1n 1f ① ٣ 1/2 1e1000000000000 --1 1-1 1+1 0e 0e+ 1eE2 2.e3 ' +
  '0.000000000000000000000000000000000000001 3.141592653589793238462643383279'
).split(' ');

const ESCAPES =
  '\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041 \\u00e9 \\u2028 \\u2029 \\uFFFE \\uFFFF \\uFEFF \\u007f \\u0085 \\x41 \\a \\v \\0 \\\' \\U0041 \\u \\u1 \\u12 \\u123 \\u12G4 \\u+123 \\u{41} \\ud800 \\udc00 \\ud800\\ud800 \\udc00\\ud800 \\ud83d\\ude00 \\ud800a \\udbff\\udfff \\ud800\\u0041 \\N \\e \\`'.split(
    ' ',
  );

const BROKEN_UTF_8: readonly (readonly number[])[] = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc2],
  [0xc2, 0x20],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xe2, 0x28, 0xa1],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
  [0xfe],
  [0xff],
  [0xfe, 0xff],
  [0xff, 0xfe],
];

const STRUCTURES = [
  '',
  ' ',
  '\n',
  '[',
  ']',
  '{',
  '}',
  '[]',
  '{}',
  'null',
  'true',
  'false',
  '0',
  '"x"',
  '[,]',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[1 2]',
  '{,}',
  '{"a"}',
  '{"a":}',
  '{:1}',
  '{"a":1,}',
  '{"a":1,,"b":2}',
  '{"a" "b"}',
  '{a:1}',
  "{'a':1}",
  '{"a":1}}',
  '{"a":1}{',
  '{"a":1} {"b":2}',
  '[1]]',
  '[[1]',
  '{"a":[}',
  '{"a":{]}',
  'nul',
  'tru',
  'True',
  'NULL',
  'undefined',
  'None',
  '#',
  '// a',
  '/* a */ {}',
  '{} // a',
  '{"a":/* b */1}',
  '<a/>',
  '---\na: 1',
  '{"a":1;}',
  '{"a"=1}',
  '\u00a0{}',
  '\u2028{}',
  '\u000b{}',
  '\u000c{}',
  '\ufeff{}',
  '{}\ufeff',
  '{}\u0000',
  '\u0000{}',
  '"',
  '"\\',
  '"\\"',
  '"a',
  "'a'",
  '`a`',
  '{"a":"\n"}',
  '{"a":"\t"}',
  '["a",\n4\n,1,',
  '[1,\n1\n,1',
  '[{}',
  '{"":',
  '{"":"',
  '[-]',
  '[--2]',
  '["x"',
  '["\\',
  'a',
  '&',
  '*',
  '!',
  '\\u0041',
];

const CONTENT_TYPES: readonly (string | readonly string[])[] = [
  'application/json;charset=utf-8',
  'application/json; charset="UTF-8"',
  'APPLICATION/JSON',
  'application/json;',
  'application/json ; charset=utf-8',
  'application/json; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'application/json; charset=',
  'application/json; charset=utf-8; charset=utf-16',
  'application/json, text/plain',
  'text/plain, application/json',
  'application/json; boundary=x',
  'application/json5',
  'application/ld+json',
  'application/problem+json',
  'text/json',
  'text/html',
  'application/octet-stream',
  '*/*',
  'json',
  '/',
  'application/',
  '/json',
  'application json',
  'application/json/x',
  ['application/json', 'application/json'],
  ['application/json', 'text/plain'],
  ['text/plain', 'application/json'],
  ['application/json', 'application/json; charset=utf-16'],
];

const encoder = new TextEncoder();
const bytes = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);
const event = (payload: string, more = '') => `{"type":"corpus.case","source":"corpus","payload":${payload}${more}}`;
const inside = (value: string) => event(`{"value":${value}}`);

function* depths(): Iterable<CorpusCase> {
  for (const depth of DEPTHS) {
    for (const [shape, open, close] of SHAPES) {
      const levels = Math.ceil(depth / (shape === 'both in turn' ? 2 : 1));
      yield { name: `${shape} ${depth} deep`, body: bytes(inside(`${open.repeat(levels)}1${close.repeat(levels)}`)) };
    }
    yield { name: `${depth} deep and never closed`, body: bytes(event('{"value":'.repeat(depth))) };
  }
}

function* keys(): Iterable<CorpusCase> {
  for (const key of STRANGE_KEYS) {
    const spellings = [
      JSON.stringify(key),
      `"${[...key].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`,
    ];
    for (const spelling of new Set(spellings)) {
      for (const value of STRANGE_VALUES)
        yield { name: `${spelling} as ${value}`, body: bytes(event(`{${spelling}:${value}}`)) };
      yield {
        name: `${spelling} in the metadata`,
        body: bytes(event('{}', `,"metadata":{${spelling}:{"polluted":true}}`)),
      };
      yield { name: `${spelling} beside the type`, body: bytes(event('{}', `,${spelling}:{"polluted":true}`)) };
      yield { name: `${spelling} deep`, body: bytes(inside(`[[{"a":{${spelling}:{"polluted":true}}}]]`)) };
      yield { name: `${spelling} twice`, body: bytes(inside(`{${spelling}:1,"b":2,${JSON.stringify(key)}:3}`)) };
    }
  }
  yield { name: 'constructor.prototype', body: bytes(inside('{"constructor":{"prototype":{"polluted":true}}}')) };
}

function* texts(): Iterable<CorpusCase> {
  for (let code = 0; code < 0xa1; code = code === 0x20 ? 0x7f : code + 1) {
    const letter = String.fromCharCode(code);
    yield { name: `raw U+${code.toString(16)}`, body: bytes(inside(`"a${letter}b"`)) };
    yield {
      name: `escaped U+${code.toString(16)}`,
      body: bytes(inside(`"a\\u${code.toString(16).padStart(4, '0')}b"`)),
    };
  }
  for (const written of ESCAPES) {
    yield { name: `text ${written}`, body: bytes(inside(`"${written}"`)) };
    yield { name: `key ${written}`, body: bytes(event(`{"${written}":1}`)) };
  }
  for (const broken of BROKEN_UTF_8) {
    const name = broken.map((byte) => byte.toString(16)).join(' ');
    yield {
      name: `bytes ${name} in a text`,
      body: joined(bytes('{"type":"a","source":"s","payload":{"x":"'), broken, bytes('"}}')),
    };
    yield { name: `bytes ${name} between`, body: joined(bytes('{"type":"a",'), broken, bytes('"source":"s"}')) };
  }
}

function* sizes(): Iterable<CorpusCase> {
  const many = (count: number, entry: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => entry(index)).join(',');
  yield { name: 'a key of a mebibyte', body: bytes(event(`{"${'k'.repeat(1024 * 1024)}":1}`)) };
  yield { name: 'a key of 100 kibibytes', body: bytes(event(`{"${'k'.repeat(100 * 1024)}":1}`)) };
  for (const count of [1_000, 10_000, 100_000]) {
    yield { name: `${count} keys`, body: bytes(event(`{${many(count, (index) => `"${index}":1`)}}`)) };
    yield {
      name: `${count} keys that share a hash prefix`,
      body: bytes(event(`{${many(count, (index) => `"${'x'.repeat(10)}${index}":1`)}}`)),
    };
    yield { name: `${count} entries`, body: bytes(inside(`[${many(count, () => '0')}]`)) };
    yield { name: `${count} empty lists`, body: bytes(inside(`[${many(count, () => '[]')}]`)) };
    yield { name: `a number of ${count} digits`, body: bytes(inside('1'.repeat(count))) };
    yield { name: `a fraction of ${count} digits`, body: bytes(inside(`0.${'3'.repeat(count)}`)) };
    yield { name: `${count} spaces`, body: bytes(`${' '.repeat(count)}${event('{}')}`) };
    yield { name: `${count} backslashes`, body: bytes(inside(`"${'\\\\'.repeat(count)}"`)) };
  }
}

function* kinds(): Iterable<CorpusCase> {
  for (const contentType of CONTENT_TYPES)
    yield { name: `content type ${contentType}`, body: bytes(event('{}')), contentType };
  for (const encoding of ['utf16le', 'latin1', 'base64', 'hex'] as const) {
    yield {
      name: `written as ${encoding}`,
      body: new Uint8Array(
        Buffer.from(event('{"x":"é"}'), encoding === 'utf16le' || encoding === 'latin1' ? encoding : 'utf8'),
      ),
    };
  }
  const wide = Buffer.from(event('{}'), 'utf16le').swap16();
  yield { name: 'written as UTF-16 with the other order', body: new Uint8Array(wide) };
  yield { name: 'written as UTF-16 with a mark', body: joined([0xff, 0xfe], Buffer.from(event('{}'), 'utf16le')) };
}

function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as number[]))));
}

export const JSON_CORPUS: readonly CorpusCase[] = [
  ...depths(),
  ...keys(),
  ...NUMBERS.map((number) => ({ name: `number ${number}`, body: bytes(inside(number)) })),
  ...texts(),
  ...STRUCTURES.flatMap((text) => [
    { name: `the whole ${JSON.stringify(text)}`, body: bytes(text) },
    { name: `inside ${JSON.stringify(text)}`, body: bytes(inside(text)) },
  ]),
  ...sizes(),
  ...kinds(),
];
