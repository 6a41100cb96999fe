import type { Socket } from 'node:net';
import type { Runtime } from '@event-manager/core';
import type { Direction, FaultSwitch } from './faults.ts';
import { OneWay } from './one-way.ts';

/** Who is at an end of a connection. */
export type Peer = 'client' | 'server';

export interface ConnectionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly faults: Readonly<Record<Direction, FaultSwitch>>;
  readonly runtime: Runtime;
  readonly isCutAt: (direction: Direction, bytes: Buffer) => boolean;
  readonly onForward: (direction: Direction, bytes: number) => void;
  /** Both sockets are gone. */
  readonly onClose: () => void;
}

/** Two sockets joined by two ways. Ends when both are closed. */
export class ProxiedConnection {
  readonly #sockets: Readonly<Record<Peer, Socket>>;
  readonly #faults: Readonly<Record<Direction, FaultSwitch>>;
  readonly #ways: Readonly<Record<Direction, OneWay>>;
  /** Set when one peer went without the other hearing of it. */
  #isHalfOpen = false;

  constructor({ client, server, faults, runtime, isCutAt, onForward, onClose }: ConnectionOptions) {
    this.#sockets = { client, server };
    this.#faults = faults;
    const way = (direction: Direction, from: Socket, to: Socket) =>
      new OneWay({
        from,
        to,
        runtime,
        faults: faults[direction],
        onForward: (bytes) => onForward(direction, bytes),
        isCutAt: (bytes) => {
          const isCut = isCutAt(direction, bytes);
          if (isCut) this.reset();
          return isCut;
        },
      });
    this.#ways = { up: way('up', client, server), down: way('down', server, client) };
    for (const peer of ['client', 'server'] as const) {
      const socket = this.#sockets[peer];
      socket.setNoDelay(true);
      socket.on('error', () => this.#onBroken(peer));
      socket.on('close', () => {
        if (client.closed && server.closed) onClose();
      });
    }
  }

  heldBytes(direction: Direction): number {
    return this.#ways[direction].heldBytes;
  }

  /** Both peers get a RST, and what was on its way is lost. */
  reset(): void {
    this.#stop();
    this.#sockets.client.resetAndDestroy();
    this.#sockets.server.resetAndDestroy();
  }

  /** This peer vanishes; the other is not told and can write for ever, as to a machine without power. */
  vanish(peer: Peer): void {
    this.#isHalfOpen = true;
    this.#stop();
    const survivor = this.#sockets[peer === 'client' ? 'server' : 'client'];
    // When it leaves by itself nobody answers, so its socket here has nothing more to wait for.
    survivor.once('end', () => survivor.destroy());
    this.#sockets[peer].resetAndDestroy();
  }

  /** A peer that broke its connection breaks the other's, unless nothing of it would get through. */
  #onBroken(peer: Peer): void {
    if (this.#isHalfOpen) return;
    const faults = this.#faults[peer === 'client' ? 'up' : 'down'];
    const passOn = () => {
      if (faults.now.blackHole) return;
      unwatch();
      this.reset();
    };
    const unwatch = faults.watch(passOn);
    passOn();
  }

  #stop(): void {
    this.#ways.up.stop();
    this.#ways.down.stop();
  }
}
