import { createHook } from 'node:async_hooks';
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { expect, it } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';

const MIB = 1024 * 1024;
/** What a bomb becomes when somebody inflates it. */
const BOMB_BYTES = 128 * MIB;

const bomb = Buffer.concat([
  Buffer.from('{"type":"a","source":"s","payload":{"x":"'),
  Buffer.alloc(BOMB_BYTES, 0x61),
  Buffer.from('"}}'),
]);
const brotli = (bytes: Uint8Array) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
const small = Buffer.from(JSON.stringify(sample()));

const BODIES: readonly (readonly [coding: string, body: Buffer])[] = [
  ['gzip', gzipSync(bomb)],
  ['x-gzip', gzipSync(bomb)],
  ['deflate', deflateSync(bomb)],
  ['deflate', deflateRawSync(bomb)],
  ['br', brotli(bomb)],
  ['zstd', zstdCompressSync(bomb)],
  ['gzip, gzip', gzipSync(gzipSync(bomb))],
  ['gzip, br', brotli(gzipSync(bomb))],
  ['deflate, gzip, br', brotli(gzipSync(deflateSync(bomb)))],
  ['GZIP', gzipSync(bomb)],
  ['identity, gzip', gzipSync(bomb)],
  ['gzip', gzipSync(small)],
  ['gzip', small],
  ['compress', small],
  ['aes128gcm', small],
  ['', small],
  ['identity,', small],
];

/** Counts every decompressor that is made in this process, whoever makes it. */
function countDecompressors(): { readonly made: () => number; readonly stop: () => void } {
  let made = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'ZLIB') made++;
    },
  }).enable();
  return { made: () => made, stop: () => void hook.disable() };
}

it.each([
  ['POST', '/events', 'application/json'],
  ['POST', '/events/batch', 'application/json'],
  ['POST', '/events/batch', 'application/x-ndjson'],
  ['POST', '/subscriptions', 'application/json'],
  ['POST', '/topics', 'application/json'],
  ['PATCH', '/subscriptions/{id}', 'application/json'],
])('refuses what is compressed before it is read: %s %s as %s', async (method, path, type) => {
  const { url } = await runService();
  const { body } = await postJson(`${url}/subscriptions`, { topic: 'never', endpoint: 'https://example.com/' });
  const address = `${url}${path.replace('{id}', body.id)}`;
  const decompressors = countDecompressors();
  for (const [coding, bytes] of BODIES) {
    const headers = { 'content-type': type, 'content-encoding': coding };
    const answer = await call(address, { method, headers, body: new Uint8Array(bytes) });
    expect([coding, answer.status, answer.body.code]).toEqual([coding, 415, 'unsupported_media_type']);
  }
  expect(decompressors.made()).toBe(0);
  brotliDecompressSync(brotliCompressSync('proof that they are counted'));
  expect(decompressors.made()).toBe(2);
  decompressors.stop();
  expect((await call(`${url}/health`)).body.head).toBe(0);
});

it('takes a body that says it is not compressed, and never compresses an answer', async () => {
  const { url } = await runService();
  const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' };
  expect((await call(`${url}/events`, { method: 'POST', headers, body: small.toString() })).status).toBe(201);
  const answer = await call(`${url}/events`, { headers: { 'accept-encoding': 'gzip, br' } });
  expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, null]);
});

it('takes a compressed body without the word for it as what it then is: no JSON', async () => {
  const { url } = await runService();
  const headers = { 'content-type': 'application/json' };
  for (const [, bytes] of BODIES.slice(0, 9)) {
    const answer = await call(`${url}/events`, { method: 'POST', headers, body: new Uint8Array(bytes) });
    expect([answer.status, answer.body.code]).toEqual(
      bytes.length > 512 * 1024 ? [413, 'event_too_large'] : [400, 'invalid_json'],
    );
  }
});
