import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

const LIMITS = { windowEvents: 1_024, frameBytesMax: 1 << 20, pendingBytesMax: 1 << 20 };

interface Publish {
  readonly type: string;
  readonly ref: number;
  readonly event?: { readonly id: string };
  readonly events?: readonly { readonly id: string }[];
}

/** A service that takes what is published and answers nothing until it is told to. */
export class SilentService {
  url = '';
  /** Events that came. */
  taken = 0;
  #isSilent = true;
  readonly #held: (() => void)[] = [];

  static async start(): Promise<SilentService> {
    const silent = new SilentService();
    const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const sockets = new WebSocketServer({ server, path: '/ws' });
    sockets.on('connection', (socket) => silent.#serve(socket));
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    });
    silent.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return silent;
  }

  answer(): void {
    this.#isSilent = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  #serve(socket: WebSocket): void {
    const hello = { protocol: 'event-manager.v1', connection: 'c', durability: 'none', limits: LIMITS };
    socket.send(JSON.stringify({ type: 'hello', ...hello }));
    socket.on('message', (data) => {
      const { type, ref, event, events } = JSON.parse(String(data)) as Publish;
      if (type !== 'publish') return;
      const results = (events ?? [event!]).map(({ id }) => ({ id, cursor: 'c', duplicate: false }));
      this.taken += results.length;
      const answer = { ref, ...(event ? { result: results[0] } : { results }) };
      const send = () => socket.send(JSON.stringify({ type: 'published', answers: [answer] }));
      if (this.#isSilent) this.#held.push(send);
      else send();
    });
  }
}
