import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { systemTimers } from '@event-manager/core';
import { retainedBytes } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { BodyBudget } from '../../../src/protocols/http/body-budget.ts';
import { pacedBody } from '../../../src/protocols/http/paced-body.ts';

const MIB = 1024 * 1024;
const HEAD = 'POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n';

async function serve(
  take: (body: AsyncIterable<Uint8Array>, request: IncomingMessage, response: ServerResponse) => void,
) {
  const budget = new BodyBudget(64 * MIB);
  const server = createServer((request, response) => {
    take(pacedBody(request, { socket: request.socket, budget, timers: systemTimers }), request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const dial = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(HEAD);
    return socket;
  };
  return { dial, budget };
}

/** Writes until the other side takes no more. */
async function fill(socket: Socket, bytes: Buffer): Promise<number> {
  for (let sent = 0; ; ) {
    sent += bytes.length;
    if (socket.write(bytes)) continue;
    const drained = once(socket, 'drain').then(() => true);
    const stuck = new Promise<false>((resolve) => setTimeout(() => resolve(false), 300));
    if (!(await Promise.race([drained, stuck]))) return sent;
  }
}

it.each([
  ['byte by byte', Buffer.from('1\r\na\r\n'.repeat(10_000))],
  ['in large chunks', Buffer.from(`10000\r\n${'a'.repeat(65_536)}\r\n`)],
])('holds little of a body that nobody takes, also when it comes %s', async (_name, bytes) => {
  let held: AsyncIterator<Uint8Array> | undefined;
  const { dial } = await serve((body) => {
    held = body[Symbol.asyncIterator]();
    void held.next();
  });
  const socket = await dial();
  await fill(socket, bytes);
  const before = retainedBytes();
  const others = await Promise.all(Array.from({ length: 4 }, dial));
  await Promise.all(others.map((other) => fill(other, bytes)));
  // With an object for each chunk it was 22 MiB byte by byte; what the clients have not sent yet is in it.
  expect(retainedBytes() - before).toBeLessThan(10 * MIB);
  expect(held).toBeDefined();
});

it('gives the body back as it was sent, however it is cut and however slowly it is taken', async () => {
  const sizes = [1, 1, 2, 3, 7, 100, 1, 1_000, 70_000, 1, 65_536, 5, 200_000, 1];
  const sent = Buffer.concat(
    Array.from({ length: 40 }, (_, round) =>
      Buffer.from(sizes.map((size, at) => String.fromCharCode(97 + ((round + at) % 26)).repeat(size)).join('')),
    ),
  );
  const received: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  const { dial, budget } = await serve(async (body, _request, response) => {
    for await (const piece of body) {
      received.push(Buffer.from(piece));
      if (received.length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    response.end('done');
    ended.resolve();
  });
  const socket = await dial();
  for (let at = 0, turn = 0; at < sent.length; turn++) {
    const chunk = sent.subarray(at, at + sizes[turn % sizes.length]!);
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    if (!socket.write('\r\n')) await once(socket, 'drain');
    at += chunk.length;
  }
  socket.write('0\r\n\r\n');
  await ended.promise;
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  expect(budget.held).toBe(0);
  // The connection goes on: nothing of it is held.
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\nok');
  const [first] = await once(socket, 'data');
  expect(String(first)).toContain('200 OK');
});

it('says that a body broke off, and gives its memory back', async () => {
  const fault = Promise.withResolvers<unknown>();
  const { dial, budget } = await serve(async (body) => {
    try {
      for await (const _piece of body);
    } catch (error) {
      fault.resolve(error);
    }
  });
  const socket = await dial();
  socket.write('5\r\nab');
  socket.resetAndDestroy();
  expect(await fault.promise).toMatchObject({ code: 'invalid_request' });
  expect(budget.held).toBe(0);
});

it('lets a connection go when the rest of its body is not wanted', async () => {
  const { dial, budget } = await serve(async (body, request, response) => {
    for await (const _piece of body) break;
    request.resume();
    response.end('enough');
  });
  const socket = await dial();
  const answered = once(socket, 'data');
  for (let sent = 0; sent < 4 * MIB; sent += 65_536) {
    if (!socket.write(`10000\r\n${'a'.repeat(65_536)}\r\n`)) await once(socket, 'drain');
  }
  expect(String((await answered)[0])).toContain('200 OK');
  expect(budget.held).toBe(0);
});
