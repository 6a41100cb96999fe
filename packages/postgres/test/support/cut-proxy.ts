import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/** The way of one process to the server. When it is cut, connections end without a goodbye and no new one comes about. */
export class CutProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  #isCut = false;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((incoming) => this.#join(incoming));
  }

  static async start(target: number): Promise<CutProxy> {
    const proxy = new CutProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The same url by this way. */
  url(direct: string): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('The proxy is not open.');
    const url = new URL(direct);
    url.port = String(address.port);
    return url.href;
  }

  /** Ends the connections there are; new ones are accepted unless the way is cut for good. */
  sever(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** From now on nothing comes through, and nobody is told. Connections made later work. */
  swallow(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  async cut(): Promise<void> {
    if (this.#isCut) return;
    this.#isCut = true;
    this.sever();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(incoming: Socket): void {
    const outgoing = tcpConnect(this.#target, '127.0.0.1');
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
