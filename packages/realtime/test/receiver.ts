import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventHandler } from '@event-manager/core';
import { type RealtimeReceiver, type RealtimeReceiverOptions, receiveRealtime } from '@event-manager/realtime';
import { onTestFinished } from 'vitest';

export interface TestReceiver {
  readonly receiver: RealtimeReceiver;
  readonly port: number;
  readonly url: string;
  /** Ends server and connections at once, as a process that is killed does. */
  kill(): Promise<void>;
}

/** An application that accepts what we dial. */
export async function startReceiver(
  handler: EventHandler,
  options: Partial<RealtimeReceiverOptions> & { port?: number } = {},
): Promise<TestReceiver> {
  const server = createServer();
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  const { port = 0, ...rest } = options;
  const receiver = receiveRealtime(server, { handler, ...rest });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const kill = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
  };
  onTestFinished(kill);
  const { port: bound } = server.address() as AddressInfo;
  return { receiver, port: bound, url: `ws://127.0.0.1:${bound}/events/realtime`, kill };
}
