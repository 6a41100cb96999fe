import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { DEFAULT_LIMITS } from '@event-manager/core';
import { retainedBytes, SeededChance } from '@event-manager/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { postJson, runService, sample } from '../../running-service.ts';
import { type FrameOptions, frameBytes, RawSocket } from './raw-socket.ts';
import { WsClient } from './ws-client.ts';

const MIB = 1024 * 1024;
/** What an attack may leave behind, of all that a process holds: heap and buffers after a collection. */
const RETAINED_BYTES_MAX = 16 * MIB;

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function expectAlive(url: string): Promise<void> {
  const client = await WsClient.open(url);
  expect((await client.ask({ type: 'publish', event: sample() })).result).toMatchObject({ duplicate: false });
  expect((await postJson(`${url}/events`, sample())).status).toBe(201);
  await client.close();
}

/** Some of it goes only with the connections that are closing. */
async function expectGivenBack(before: number): Promise<void> {
  await expect.poll(() => retainedBytes() - before, { timeout: 20_000 }).toBeLessThan(RETAINED_BYTES_MAX);
}

/** Sends bytes until the service closes, and says with which code. */
async function codeAfter(url: string, chunks: Iterable<Uint8Array>): Promise<number | undefined> {
  const raw = await RawSocket.open(url);
  await raw.writeAll(chunks);
  await raw.untilClosed();
  return raw.closeCode();
}

function* repeated(bytes: Uint8Array, times: number): Generator<Uint8Array> {
  for (let count = 0; count < times; count++) yield bytes;
}

const ping = (first: FrameOptions['first'], bytes = 0) => frameBytes('x'.repeat(bytes), first ? { first } : {});

describe('frames that break the rules', () => {
  const broken: [string, () => Iterable<Uint8Array>, number][] = [
    ['larger than the limit', () => [frameBytes('x', { length: MIB + 1 })], 1009],
    ['far larger, as far as it says', () => [frameBytes('x', { length: 2 ** 40 })], 1009],
    ['not UTF-8', () => [frameBytes(Buffer.from([0xff, 0xfe]))], 1007],
    ['a half of a character', () => [frameBytes(Buffer.from([0xe2, 0x82]))], 1007],
    ['not masked', () => [frameBytes('{"type":"ping"}', { masked: false })], 1002],
    ['with a reserved bit', () => [frameBytes('{}', { first: 0xc1 })], 1002],
    ['with another reserved bit', () => [frameBytes('{}', { first: 0xa1 })], 1002],
    ['of an unknown kind', () => [frameBytes('{}', { first: 0x83 })], 1002],
    ['a control frame that is too long', () => [ping(0x89, 126)], 1002],
    ['a control frame in parts', () => [ping(0x09, 5)], 1002],
    ['a continuation of nothing', () => [frameBytes('{}', { first: 0x80 })], 1002],
    ['a text within a text', () => [frameBytes('{', { first: 0x01 }), frameBytes('}', { first: 0x81 })], 1002],
    ['a goodbye with a code that does not exist', () => [frameBytes(Buffer.from([0, 1]), { first: 0x88 })], 1002],
    [
      'in 131,072 fragments',
      function* () {
        yield frameBytes('"', { first: 0x01 });
        yield* repeated(Buffer.concat([...repeated(frameBytes('x', { first: 0x00 }), 1_024)]), 128);
      },
      1008,
    ],
    [
      'fragments without end, each of nothing',
      function* () {
        yield frameBytes('', { first: 0x01 });
        yield* repeated(Buffer.concat([...repeated(frameBytes('', { first: 0x00 }), 1_024)]), 128);
      },
      1008,
    ],
    [
      'fragments that together are too large',
      function* () {
        yield frameBytes('x'.repeat(100_000), { first: 0x01 });
        yield* repeated(frameBytes('x'.repeat(100_000), { first: 0x00 }), 20);
      },
      1009,
    ],
    ['a flood of pings', () => repeated(Buffer.concat([...repeated(ping(0x89, 10), 1_000)]), 50), 1008],
    ['a flood of what is no frame of ours', () => repeated(frameBytes('nonsense'), 100), 1008],
    ['a flood of bytes', () => repeated(frameBytes(Buffer.from([1, 2, 3]), { first: 0x82 }), 100), 1008],
  ];
  it.each(broken)('%s', async (_, chunks, code) => {
    const { url } = await runService();
    expect(await codeAfter(url, chunks())).toBe(code);
    await expectAlive(url);
  });

  it('answers the tenth that it cannot read and then closes; one with a ref does not count', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    for (let count = 0; count < 50; count++) client.send({ type: 'nonsense', ref: count });
    await client.answerTo(49);
    for (let count = 0; count < 12; count++) client.send('{');
    expect((await client.untilClosed()).code).toBe(1008);
    expect(client.ofType('error').filter(({ ref }) => ref === undefined)).toHaveLength(10);
  });

  it('takes a frame in a few fragments, with control frames between them', async () => {
    const { url } = await runService();
    const raw = await RawSocket.open(url);
    raw.write(frameBytes('{"type":', { first: 0x01 }));
    raw.write(ping(0x89, 3));
    raw.write(frameBytes('"ping"}', { first: 0x80 }));
    await raw.until(() => raw.received.includes('"pong"'));
    expect(raw.frames().map(({ opcode }) => opcode)).toEqual([1, 10, 1]);
  });

  it('takes a frame that comes byte by byte', async () => {
    const { url } = await runService();
    const raw = await RawSocket.open(url);
    raw.socket.setNoDelay();
    for (const byte of frameBytes('{"type":"ping"}')) {
      raw.write(Buffer.from([byte]));
      await settle();
    }
    await raw.until(() => raw.received.includes('"pong"'));
  });
});

describe('compression', () => {
  const offer = ['sec-websocket-extensions: permessage-deflate; client_max_window_bits'];
  const compressed = (text: string | Uint8Array) =>
    frameBytes(deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4), { first: 0xc1 });

  it('that is offered is not taken up, and a compressed frame breaks the rules', async () => {
    const { url } = await runService();
    const raw = await RawSocket.open(url, offer);
    expect(raw.head.toLowerCase()).not.toContain('permessage-deflate');
    raw.write(compressed('{"type":"ping"}'));
    await raw.untilClosed();
    expect(raw.closeCode()).toBe(1002);
  });

  it('works where the setting allows it', async () => {
    const { url } = await runService({ wsCompression: true });
    const client = await WsClient.open(url, { perMessageDeflate: true });
    expect(client.socket.extensions).toContain('permessage-deflate');
    await client.ask({ type: 'stream' });
    const events = Array.from({ length: 200 }, (_, number) =>
      sample({ payload: { number, padding: 'x'.repeat(5_000) } }),
    );
    for (const [ref, event] of events.entries()) client.send({ type: 'publish', ref, event });
    await client.until((self) => self.events.length === events.length);
    expect(client.events.map(({ payload }) => payload)).toEqual(events.map(({ payload }) => payload));
  });

  it('does not let a bomb grow beyond the limit of a frame', async () => {
    const { url } = await runService({ wsCompression: true });
    const raw = await RawSocket.open(url, offer);
    expect(raw.head.toLowerCase()).toContain('permessage-deflate');
    const bomb = compressed(Buffer.alloc(200 * MIB, 'x'));
    const before = retainedBytes();
    raw.write(bomb);
    await raw.untilClosed();
    expect(raw.closeCode()).toBe(1009);
    await expectGivenBack(before);
    await expectAlive(url);
  });
});

describe('what peers can make the service hold', () => {
  it('is bounded for frames that are begun and never finished', { timeout: 60_000 }, async () => {
    const { url } = await runService({ limits: { ...DEFAULT_LIMITS, bodiesBytesMax: 8 * MIB } });
    const before = retainedBytes();
    const begun = frameBytes('x'.repeat(900_000), { length: MIB });
    const raws = await Promise.all(Array.from({ length: 40 }, () => RawSocket.open(url)));
    for (const raw of raws) raw.write(begun);
    while (raws.filter(({ closed }) => !closed).length > 9) {
      await Promise.race(raws.filter(({ closed }) => !closed).map((raw) => raw.untilClosed()));
    }
    expect(raws.filter(({ closed }) => !closed).length).toBeGreaterThanOrEqual(8);
    // For a second they may still read why they were cut.
    await expectGivenBack(before);
    await expectAlive(url);
  });

  it('is bounded for handshakes that are never finished', { timeout: 60_000 }, async () => {
    const { url } = await runService({ requestTimeoutMs: 1_000 });
    const sockets = Array.from({ length: 100 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(
      sockets.map(async (socket) => {
        socket.on('error', () => {});
        socket.write('GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n');
        socket.resume();
        await once(socket, 'close');
      }),
    );
    await expectAlive(url);
  });

  it('stays the same over 100,000 frames of noise', { timeout: 120_000 }, async () => {
    // On the journal, which keeps what is published out of memory.
    const dataDir = mkdtempSync(join(tmpdir(), 'ws-noise-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { url } = await runService({ adapter: 'journal', dataDir });
    await noise(url, 1, 2_000);
    const before = retainedBytes();
    await noise(url, 2, 100_000);
    await expectAlive(url);
    await expectGivenBack(before);
  });
});

const FIRST_BYTES = [0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88, 0xc1, 0x83];
const SEEDS = [
  '{"type":"publish","ref":1,"event":{"type":"a","source":"s","payload":{"n":1.5}}}',
  '{"type":"publish","ref":"x","events":[{"type":"a","source":"s"},{}]}',
  '{"type":"stream","ref":2,"topics":["#"],"filter":{"sources":["s"]},"from":"earliest"}',
  '{"type":"subscribe","ref":3,"subscription":{"topic":"a","options":{"batchSize":2}}}',
  '{"type":"subscribe","eventTypes":["a","b.*"]}',
  '{"type":"nack","deliveries":[1,2],"retry":false,"error":"e","afterMs":1}',
  '{"type":"ack","deliveries":[1]}',
  '{"type":"unsubscribe","ref":4,"subscription":"x"}',
  '{"type":"ping"}',
];

/** Frames made of good ones by small changes: most are text that is nearly right, some break the protocol. */
async function noise(url: string, seed: number, frames: number): Promise<void> {
  const chance = new SeededChance(seed);
  const below = (limit: number) => Math.floor(chance.fraction() * limit);
  const mutated = (): Buffer => {
    const bytes = Buffer.from(SEEDS[below(SEEDS.length)]!);
    for (let changes = below(4); changes > 0; changes--)
      bytes[below(bytes.length)] = below(20) === 0 ? below(256) : 32 + below(95);
    return below(10) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
  };
  const attack = async (count: number) => {
    const raw = await RawSocket.open(url);
    const isWild = below(3) === 0;
    const chunks = Array.from({ length: count }, () =>
      frameBytes(mutated(), isWild ? { first: FIRST_BYTES[below(FIRST_BYTES.length)]! } : {}),
    );
    // Whoever is still there after all of that says goodbye.
    raw.write(Buffer.concat([...chunks, frameBytes(Buffer.from([0x03, 0xe8]), { first: 0x88 })]));
    await raw.untilClosed();
    raw.received = Buffer.alloc(0);
  };
  // Few in a connection: after ten that nobody can read it is closed, and the rest would not be looked at.
  for (let left = frames; left > 0; left -= 160) {
    await Promise.all(Array.from({ length: 10 }, () => attack(Math.min(16, Math.ceil(left / 10)))));
  }
}
