/*
 * A TCP proxy with faults, for tests of how a client and a server get on over a bad network.
 *
 * A connection is two sockets (the client's, which the proxy accepted, and one that it opened to the server) joined by two ways,
 * `up` and `down`. A way is a queue: bytes are read as they come, up to one megabyte ahead, and go on when the faults of
 * their direction allow. An orderly end waits in the queue behind the bytes, so it suffers the same faults. Faults belong to the
 * proxy and not to a connection: turning one works at once on every connection, on what is held in the queues, and on
 * connections to come. Time comes from a runtime, so a test may hold the network in a virtual clock.
 *
 * What happens to a connection as a whole:
 * - `reset`: both peers get a RST at once. `cutWhen` does it at a byte of the test's choosing, before that byte goes on, for
 *   example between a COMMIT and its answer.
 * - `vanish('client' | 'server')`: half-open. That peer is gone; the other's socket stays open, takes what is written and never
 *   answers. Only the other's own time-out or keep-alive by traffic ends it, or `reset`, or `close`.
 * - `refuse(true)`: new connections are reset as soon as they come about, those there are go on.
 *
 * A black hole holds what is sent meanwhile and lets it pass afterwards: a network that lost packets does the same, because TCP sends
 * them again. When a peer gives up during a black hole, the other hears of it after the hole is gone.
 *
 * What a program cannot do, and a test that needs it must use a network namespace: drop the packets by which a connection is
 * made (the kernel completes it before we are asked, so a black hole here connects and then says nothing), answer for a host
 * that is down, or make the keep-alive of TCP fail.
 *
 * Invariants: bytes go on in order, unchanged and once, or the connection is ended; `open` counts connections of which at least
 * one socket is not closed, so after both peers have left it is 0 again.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Runtime, systemRuntime } from '@event-manager/core';
import { type Direction, type DirectionFaults, FaultSwitch, NO_FAULTS } from './faults.ts';
import { type Peer, ProxiedConnection } from './proxied-connection.ts';

export interface FaultProxyOptions {
  /** Time and chance of the faults. */
  readonly runtime?: Pick<Runtime, 'clock' | 'timers' | 'chance'>;
}

export interface ProxyCounts {
  /** Connections that clients made, in all. */
  readonly accepted: number;
  /** Of those, the ones that are not over. */
  readonly open: number;
  /** Reset because of `refuse`, or because nobody listens at the target. */
  readonly refused: number;
  /** Bytes that went on, and that wait in the proxy. */
  readonly forwarded: Readonly<Record<Direction, number>>;
  readonly held: Readonly<Record<Direction, number>>;
}

export class FaultProxy {
  #target: URL;
  readonly #runtime: Runtime;
  readonly #listener: Server;
  readonly #connections = new Set<ProxiedConnection>();
  /** Accepted, while the server's side of them is being opened. */
  readonly #opening = new Set<Socket>();
  readonly #faults = { up: new FaultSwitch(), down: new FaultSwitch() };
  readonly #forwarded = { up: 0, down: 0 };
  #accepted = 0;
  #refused = 0;
  #isRefusing = false;
  #isCutAt: (direction: Direction, bytes: Buffer) => boolean = () => false;

  private constructor(target: string, runtime: Runtime) {
    this.#target = withPort(target);
    this.#runtime = runtime;
    this.#listener = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port of this machine, for the server of a url with a host and a port. */
  static async start(target: string, { runtime }: FaultProxyOptions = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, { ...systemRuntime, ...runtime });
    proxy.#listener.listen(0, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    return proxy;
  }

  /** The url of the target by way of the proxy; everything else of it is kept. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  get counts(): ProxyCounts {
    const held = (direction: Direction) =>
      [...this.#connections].reduce((sum, connection) => sum + connection.heldBytes(direction), 0);
    return {
      accepted: this.#accepted,
      open: this.#connections.size + this.#opening.size,
      refused: this.#refused,
      forwarded: { ...this.#forwarded },
      held: { up: held('up'), down: held('down') },
    };
  }

  /** Sets these faults and keeps the others as they are. Both directions when none is named. */
  set(faults: Partial<DirectionFaults>, direction?: Direction): void {
    for (const each of direction ? [direction] : (['up', 'down'] as const)) {
      this.#faults[each].turn({ ...this.#faults[each].now, ...faults });
    }
  }

  /** No fault any more. Connections that were reset or are half-open stay what they are. */
  heal(): void {
    this.#isRefusing = false;
    this.#isCutAt = () => false;
    this.set(NO_FAULTS);
  }

  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  /** Asks before any bytes go on, in the pieces in which they came; where the answer is true that connection is reset instead. */
  cutWhen(isCutAt: (direction: Direction, bytes: Buffer) => boolean): void {
    this.#isCutAt = isCutAt;
  }

  /** Connections to come go to another server, as by an address that moves in a failover. Those there are stay where they are. */
  turnTo(target: string): void {
    this.#target = withPort(target);
  }

  /** Resets every connection there is. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
    for (const client of this.#opening) client.resetAndDestroy();
  }

  /** Makes every connection there is half-open. */
  vanish(peer: Peer): void {
    for (const connection of this.#connections) connection.vanish(peer);
  }

  /** Resets what there is and listens no more. */
  async close(): Promise<void> {
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    this.reset();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    if (this.#isRefusing) this.#turnAway(client);
    else this.#open(client);
  }

  #open(client: Socket): void {
    this.#opening.add(client);
    const { hostname, port } = this.#target;
    const host = hostname.replace(/^\[|\]$/g, '');
    const server = connect({ host, port: Number(port), allowHalfOpen: true });
    const onEarlyError = () => this.#turnAway(client);
    const onGone = () => server.destroy();
    client.on('error', onGone);
    client.on('close', onGone);
    server.once('error', onEarlyError);
    server.once('close', () => this.#opening.delete(client));
    server.once('connect', () => {
      server.off('error', onEarlyError);
      client.off('error', onGone).off('close', onGone);
      this.#opening.delete(client);
      this.#join(client, server);
    });
  }

  #join(client: Socket, server: Socket): void {
    const connection = new ProxiedConnection({
      client,
      server,
      faults: this.#faults,
      runtime: this.#runtime,
      isCutAt: (direction, bytes) => this.#isCutAt(direction, bytes),
      onForward: (direction, bytes) => {
        this.#forwarded[direction] += bytes;
      },
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #turnAway(client: Socket): void {
    this.#refused += 1;
    client.on('error', () => {});
    client.resetAndDestroy();
  }
}

function withPort(target: string): URL {
  const url = new URL(target);
  if (url.port === '') throw new TypeError('The url names no port.');
  return url;
}
