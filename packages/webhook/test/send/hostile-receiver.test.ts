import { brotliCompressSync, constants } from 'node:zlib';
import { type Outcome, systemRuntime } from '@event-manager/core';
import { retainedBytes } from '@event-manager/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressGuard } from '../../src/address/address-guard.ts';
import { webhookSender } from '../../src/send/sender.ts';
import { webhookSink } from '../../src/webhook-sink.ts';
import { httpReceiver, rawReceiver } from '../receiver.ts';
import { delivery, sinkUnderTest, within } from '../sink-under-test.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const TIMEOUT_MS = 700;

function ticking(
  socket: { write(data: string): unknown; on(event: 'close', run: () => void): unknown },
  data: string,
  everyMs: number,
) {
  const timer = setInterval(() => socket.write(data), everyMs);
  socket.on('close', () => clearInterval(timer));
}

async function attempt(url: string, limits = {}): Promise<{ outcome: Outcome; tookMs: number }> {
  const startedAtMs = performance.now();
  const [outcome] = await sinkUnderTest(url, {}, limits).deliver([delivery('{}')], TIMEOUT_MS);
  return { outcome: outcome!, tookMs: performance.now() - startedAtMs };
}

describe('a receiver that wastes time ends with the attempt', () => {
  it.each([
    ['never answers', () => {}],
    [
      'sends its headers one byte at a time',
      (socket) => {
        socket.write(OK);
        ticking(socket, 'x', 50);
      },
    ],
    [
      'sends its body one byte at a time',
      (socket) => {
        socket.write(`${OK}content-length: 100000\r\n\r\n`);
        ticking(socket, 'x', 50);
      },
    ],
    ['sends informational responses for ever', (socket) => ticking(socket, 'HTTP/1.1 102 Processing\r\n\r\n', 20)],
  ] satisfies [string, Parameters<typeof rawReceiver>[0]][])('%s', async (_name, serve) => {
    const receiver = await rawReceiver(serve);
    const { outcome, tookMs } = await attempt(receiver.url);
    expect(outcome).toMatchObject({ status: 'retry', error: { code: 'timeout' } });
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 50);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 1500);
  });
});

it('ends with the attempt when the receiver never finishes its TLS handshake', async () => {
  const receiver = await rawReceiver(() => {});
  const { outcome, tookMs } = await attempt(receiver.url.replace('http:', 'https:'));
  expect(outcome).toMatchObject({ status: 'retry', error: { code: 'timeout' } });
  expect(tookMs).toBeLessThan(TIMEOUT_MS + 1500);
});

it('gives a connection up after its own limit, so that a dead address does not use up the whole attempt', async () => {
  const receiver = await rawReceiver(() => {});
  const { deliver } = sinkUnderTest(receiver.url.replace('http:', 'https:'), {}, { connectTimeoutMs: 100 });
  // The client's coarse timers may add a second.
  const [outcome] = await deliver([delivery('{}')], 10_000);
  expect(outcome).toMatchObject({ status: 'retry', error: { code: 'connect_timeout' } });
});

describe('a receiver that breaks the rules is a failed attempt', () => {
  it.each([
    ['resets the connection before it answers', 'connection_reset', (socket) => socket.resetAndDestroy()],
    [
      'resets the connection in the middle of the body',
      'connection_reset',
      (socket) => {
        socket.write(`${OK}content-length: 100\r\n\r\nhalf`, () => setTimeout(() => socket.resetAndDestroy(), 20));
      },
    ],
    [
      'closes in the middle of the body',
      'connection_reset',
      (socket) => {
        socket.end(`${OK}content-length: 100\r\n\r\nhalf`);
      },
    ],
    ['does not speak HTTP', 'invalid_response', (socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
    ['sends a status without number', 'invalid_response', (socket) => socket.end('HTTP/1.1 YES OK\r\n\r\n')],
    [
      'sends headers without end',
      'invalid_response',
      (socket) => {
        socket.write(OK);
        ticking(socket, `x-filler: ${'x'.repeat(8000)}\r\n`, 1);
      },
    ],
  ] satisfies [string, string, Parameters<typeof rawReceiver>[0]][])('%s', async (_name, code, serve) => {
    const receiver = await rawReceiver((socket) => socket.once('data', () => serve(socket)));
    const { outcome, tookMs } = await attempt(receiver.url);
    expect(outcome).toMatchObject({ status: 'retry', error: { code } });
    expect(tookMs).toBeLessThan(TIMEOUT_MS + 1500);
  });

  it('has nobody listening', async () => {
    const { outcome } = await attempt('http://127.0.0.1:1/');
    expect(outcome).toMatchObject({ status: 'retry', error: { code: 'connection_refused' } });
  });

  it('has a certificate that nobody vouches for, or none at all', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    const { outcome } = await attempt(receiver.url.replace('http:', 'https:'));
    expect(outcome).toMatchObject({ status: 'retry', error: { code: 'tls_failed' } });
  });

  it('tells nothing of the machine in its error', async () => {
    const { outcome } = await attempt('http://127.0.0.1:1/');
    expect(JSON.stringify(outcome)).not.toMatch(/127\.0\.0\.1|:1\b|node_modules|\bat /);
  });
});

describe('a receiver that sends too much', () => {
  it('is read for 64 KiB and cut, and judged by its status', async () => {
    let sent = 0;
    let cut = false;
    const receiver = await rawReceiver((socket) =>
      socket.once('data', () => {
        socket.on('close', () => {
          cut = true;
        });
        socket.write(`${OK}transfer-encoding: chunked\r\n\r\n`);
        const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
        const more = () => {
          while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
          if (!socket.destroyed) socket.once('drain', more);
        };
        more();
      }),
    );
    const { outcome } = await attempt(receiver.url);
    expect(outcome).toEqual({ status: 'delivered' });
    await expect.poll(() => cut).toBe(true);
    // What the kernel's socket buffers took besides does not reach our memory.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('is not decompressed', async () => {
    const bomb = brotliCompressSync(Buffer.alloc(256 * 1024 * 1024), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
    });
    expect(bomb.length).toBeLessThan(64 * 1024);
    const receiver = await httpReceiver((_, response) =>
      response.writeHead(200, { 'content-encoding': 'br' }).end(bomb),
    );
    const before = process.memoryUsage().rss;
    const { outcome } = await attempt(receiver.url);
    expect(outcome).toEqual({ status: 'delivered' });
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });

  it('does not grow memory over many attempts', async () => {
    const receiver = await rawReceiver((socket) => {
      socket.once('data', () => {
        socket.write(`${OK}content-length: 1000000000\r\n\r\n`);
        const chunk = 'x'.repeat(0x10000);
        const more = () => {
          while (!socket.destroyed && socket.write(chunk));
          if (!socket.destroyed) socket.once('drain', more);
        };
        more();
      });
    });
    const { deliver } = sinkUnderTest(receiver.url);
    const attempts = async (count: number) => {
      for (let n = 0; n < count; n++) expect(await deliver([delivery('{}')])).toEqual([{ status: 'delivered' }]);
    };
    await attempts(50);
    const before = retainedBytes();
    await attempts(200);
    // 64 KiB of answer kept by each attempt would be 12.5 MiB.
    await expect.poll(() => retainedBytes() - before).toBeLessThan(4 * 1024 * 1024);
  }, 30_000);
});

it('does not keep others waiting: a dead endpoint leaves another one its connections', async () => {
  const dead = await rawReceiver(() => {});
  const alive = await httpReceiver((_, response) => response.end());
  const guard = addressGuard({ allow: ['loopback'] });
  const sender = webhookSender({ guard });
  onTestFinished(() => sender.close());
  const sinkTo = (endpoint: string) => webhookSink({ endpoint, runtime: systemRuntime, guard, sender });
  const stuck = sinkTo(dead.url).deliver(
    Array.from({ length: 100 }, () => delivery('{}')),
    within(1500),
  );
  const startedAtMs = performance.now();
  const outcomes = await sinkTo(alive.url).deliver([delivery('{}')], within(1500));
  expect(outcomes).toEqual([{ status: 'delivered' }]);
  expect(performance.now() - startedAtMs).toBeLessThan(1000);
  for (const outcome of await stuck) expect(outcome).toMatchObject({ status: 'retry', error: { code: 'timeout' } });
});
