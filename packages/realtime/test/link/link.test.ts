import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { systemRuntime } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Link } from '../../src/link/link.ts';
import { until } from '../until.ts';

it('is lost with the first frame for a peer that has said goodbye and does not hang up', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const { _socket: connection } = socket as unknown as { _socket: Socket };
    connection.pause();
    connection.write(Buffer.from([0x88, 0x00]));
  });
  let socket: WebSocket | undefined;
  let losses = 0;
  const { port } = server.address() as AddressInfo;
  const link = new Link({
    dial: () => (socket = new WebSocket(`ws://127.0.0.1:${port}/`)),
    heartbeatMs: 30_000,
    reconnectAttempts: 5,
    runtime: systemRuntime,
    onOpen: () => {},
    onFrame: () => {},
    onLost: () => losses++,
    onTurn: () => {},
    onPing: () => {},
  });
  onTestFinished(() => {
    link.close();
    for (const client of server.clients) client.terminate();
    server.close();
  });
  link.start();
  await until(() => socket?.readyState === WebSocket.CLOSING);
  expect(link.isOpen).toBe(true);
  link.send('{}');
  // Else what was handed to it would wait for an answer until its time was over, and count as failed.
  expect([link.isOpen, losses, link.lastError?.code]).toEqual([false, 1, 'connection_lost']);
});
