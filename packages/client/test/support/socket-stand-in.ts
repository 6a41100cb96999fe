import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Frame {
  readonly type: string;
  readonly ref?: number;
  readonly events?: readonly { readonly id: string; readonly payload?: unknown }[];
  readonly event?: { readonly id: string; readonly payload?: unknown };
  readonly [field: string]: unknown;
}

export interface Peer {
  /** 1 for the first connection. */
  readonly number: number;
  /** Resolves when the client has taken what it was sent before: it answers a ping after that. */
  taken(): Promise<void>;
  send(frame: object): void;
  sendText(text: string): void;
  cut(): void;
}

type OnFrame = (frame: Frame, peer: Peer) => void;

/** A WebSocket server that speaks the protocol as a test wants: what it does on a frame is the test's to say. */
export class SocketStandIn {
  readonly frames: Frame[] = [];
  readonly peers: Peer[] = [];
  limits = { windowEvents: 1_024, frameBytesMax: 1 << 20, pendingBytesMax: 1 << 20 };
  onFrame: OnFrame = () => {};
  #server: WebSocketServer | undefined;
  #port = 0;

  static async start(onFrame?: OnFrame): Promise<SocketStandIn> {
    const standIn = new SocketStandIn();
    if (onFrame) standIn.onFrame = onFrame;
    await standIn.listen();
    onTestFinished(() => standIn.stop());
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** At the same port as before. */
  async listen(): Promise<void> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: this.#port, path: '/ws' });
    this.#server = server;
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#serve(socket));
  }

  stop(): void {
    for (const peer of this.peers) peer.cut();
    this.#server?.close();
  }

  of(type: string): readonly Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  #serve(socket: WebSocket): void {
    const peer: Peer = {
      number: this.peers.length + 1,
      send: (frame) => socket.send(JSON.stringify(frame)),
      sendText: (text) => socket.send(text),
      cut: () => socket.terminate(),
      async taken() {
        socket.ping();
        await once(socket, 'pong');
      },
    };
    this.peers.push(peer);
    const { limits } = this;
    peer.send({ type: 'hello', protocol: 'event-manager.v1', connection: 'c', durability: 'synced', limits });
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      this.frames.push(frame);
      this.onFrame(frame, peer);
    });
  }
}

/** The events of a publish. */
export function eventsOf(frame: Frame): readonly { readonly id: string; readonly payload?: unknown }[] {
  return frame.events ?? [frame.event!];
}

/** The answer to a publish when everything is stored. */
export function published(frame: Frame, duplicate = false): object {
  const results = eventsOf(frame).map(({ id }) => ({ id, cursor: `after-${id}`, duplicate }));
  const answer = frame.events ? { ref: frame.ref, results } : { ref: frame.ref, result: results[0] };
  return { type: 'published', answers: [answer] };
}
