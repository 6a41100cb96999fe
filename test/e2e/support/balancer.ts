import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/** What stands before several instances: hands each connection to the next of them, and to another one when that is not there. */
export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ports: readonly number[] = [];
  #next = 0;

  private constructor() {
    // What a client sends at once must not be lost while its way is made.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => this.#join(client));
  }

  static async start(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#ports = ports;
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, tries = 0): void {
    if (tries >= this.#ports.length) return void client.destroy();
    const port = this.#ports[this.#next++ % this.#ports.length]!;
    const server = tcpConnect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const onRefused = () => this.#join(client, tries + 1);
    server.once('error', onRefused);
    server.once('connect', () => {
      server.off('error', onRefused);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }
}
