import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { Outbox } from '../../../src/protocols/ws/outbox.ts';
import { RawSocket } from './raw-socket.ts';

const KIB = 1024;

/** An outbox on a real connection, whose peer reads only when the test says so. */
async function connected(pendingBytesMax: number) {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const webSockets = new WebSocketServer({ noServer: true });
  const told = { overruns: 0, frees: 0 };
  const opened = new Promise<Outbox>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const onOverrun = () => void told.overruns++;
        const onFree = () => void told.frees++;
        const outbox = new Outbox({ webSocket, socket, pendingBytesMax, onOverrun, onFree });
        webSocket.on('close', () => outbox.closed());
        resolve(outbox);
      });
    });
  });
  const peer = await RawSocket.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { outbox: await opened, peer, told };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  it('is full while the peer has not taken what lies beyond the mark, and then free again', async () => {
    const { outbox, peer, told } = await connected(KIB * KIB);
    peer.socket.pause();
    expect(await outbox.drained()).toBe(true);
    const sent = await fill(outbox);
    expect(outbox.isFull).toBe(true);
    // Something was taken since the last look, of which this is the first.
    expect([1_000, 2_000, 3_500].map((nowMs) => outbox.stalledMs(nowMs))).toEqual([0, 1_000, 2_500]);
    const drained = outbox.drained();
    peer.socket.resume();
    expect(await drained).toBe(true);
    expect(outbox.stalledMs(9_000)).toBe(0);
    expect(told.frees).toBeGreaterThan(0);
    await peer.until(() => peer.frames().length === sent);
    expect(told.overruns).toBe(0);
  });

  it('gives up when more waits than may', async () => {
    const { outbox, peer, told } = await connected(128 * KIB);
    peer.socket.pause();
    const frame = Buffer.alloc(32 * KIB, 'x');
    for (let count = 0; told.overruns === 0; count++) {
      expect(count).toBeLessThan(1_000);
      outbox.send(frame);
      await settle();
    }
    expect(outbox.isFull).toBe(true);
  });

  it('tells who waits for room that the connection ended', async () => {
    const { outbox, peer } = await connected(KIB * KIB);
    peer.socket.pause();
    await fill(outbox);
    const drained = outbox.drained();
    peer.socket.destroy();
    expect(await drained).toBe(false);
    expect(outbox.isClosed).toBe(true);
    expect(await outbox.drained()).toBe(false);
  });

  it('sends the answers of one turn in one frame', async () => {
    const { outbox, peer } = await connected(KIB * KIB);
    for (const ref of [1, 2, 3]) outbox.answer(`{"ref":${ref}}`);
    await settle();
    outbox.answer('{"ref":4}');
    await peer.until(() => peer.frames().length === 2);
    expect(peer.frames().map(({ payload }) => JSON.parse(payload.toString()).answers.length)).toEqual([3, 1]);
  });
});

/** Sends until it stays full: the kernel takes some megabytes for a peer that does not read. Returns the number of frames. */
async function fill(outbox: Outbox): Promise<number> {
  const frame = Buffer.alloc(512 * KIB, 'x');
  for (let sent = 1; sent < 64; sent++) {
    outbox.send(frame);
    if (outbox.isFull && (await Promise.race([outbox.drained(), settleFor(200)])) === undefined) return sent;
  }
  return expect.fail('The kernel takes everything.');
}

function settleFor(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), delayMs));
}
