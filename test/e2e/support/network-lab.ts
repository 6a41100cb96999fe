/**
 * Hosts of their own that reach what this machine serves, each over a way that can be cut in either direction or both.
 *
 * Every host is a network namespace with one wire to a bridge. It has two addresses: clients come to the front, and what it
 * asks of a service of this machine leaves from the back. A way is cut by telling one side a wrong hardware address of the
 * other: packets then vanish and nobody is told, as behind a switch that died, while clients still get through. So a cut of
 * one direction is real, too: what was asked arrives and the answer does not.
 */
import { execFileSync } from 'node:child_process';

export type Cut = 'there' | 'back' | 'both ways';

const NOBODY = '02:00:00:00:00:01';
/** Last parts of addresses. */
const FRONT = 11;
const BACK = 111;
const HERE = 1;
const SERVICES = { database: 2, redis: 3 } as const;

export type LabService = keyof typeof SERVICES;

export class NetworkLab {
  readonly #tag = process.pid;
  readonly #net = `10.${214 + (process.pid % 40)}.${Math.floor(process.pid / 40) % 250}`;
  readonly #bridge = `emb${this.#tag}`;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    for (const last of [HERE, ...Object.values(SERVICES)]) {
      ip('address', 'add', `${this.#net}.${last}/24`, 'dev', this.#bridge);
    }
    ip('link', 'set', this.#bridge, 'up');
    for (let at = 0; at < size; at++) this.#addHost(at);
  }

  /** Of this machine, for what hosts call that is never cut off. */
  get here(): string {
    return `${this.#net}.${HERE}`;
  }

  get range(): string {
    return `${this.#net}.0/24`;
  }

  addressOf(service: LabService): string {
    return `${this.#net}.${SERVICES[service]}`;
  }

  /** Where clients find a host. */
  front(at: number): string {
    return `${this.#net}.${FRONT + at}`;
  }

  /** Where services see a host come from. */
  back(at: number): string {
    return `${this.#net}.${BACK + at}`;
  }

  /** What a program is started by to run on a host. */
  on(at: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#host(at)];
  }

  cut(at: number, service: LabService, cut: Cut): void {
    const wrong = ['lladdr', NOBODY, 'nud', 'permanent'];
    if (cut !== 'back') {
      ip('-n', this.#host(at), 'neigh', 'replace', this.addressOf(service), ...wrong, 'dev', this.#inner(at));
    }
    if (cut !== 'there') ip('neigh', 'replace', this.back(at), ...wrong, 'dev', this.#bridge);
  }

  heal(at: number): void {
    for (const last of Object.values(SERVICES)) {
      tryIp('-n', this.#host(at), 'neigh', 'del', `${this.#net}.${last}`, 'dev', this.#inner(at));
    }
    tryIp('neigh', 'del', this.back(at), 'dev', this.#bridge);
  }

  /** The wires go with their hosts. */
  remove(): void {
    for (let at = 0; at < this.#size; at++) tryIp('netns', 'delete', this.#host(at));
    tryIp('link', 'delete', this.#bridge);
  }

  #addHost(at: number): void {
    const host = this.#host(at);
    const outer = `emo${this.#tag}${at}`;
    const inner = this.#inner(at);
    ip('netns', 'add', host);
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
    ip('link', 'set', inner, 'netns', host);
    ip('link', 'set', outer, 'master', this.#bridge);
    ip('link', 'set', outer, 'up');
    ip('-n', host, 'link', 'set', 'lo', 'up');
    ip('-n', host, 'address', 'add', `${this.front(at)}/24`, 'dev', inner);
    ip('-n', host, 'address', 'add', `${this.back(at)}/24`, 'dev', inner);
    ip('-n', host, 'link', 'set', inner, 'up');
    for (const last of Object.values(SERVICES)) {
      ip('-n', host, 'route', 'add', `${this.#net}.${last}/32`, 'dev', inner, 'src', this.back(at));
    }
  }

  #host(at: number): string {
    return `em-lab-${this.#tag}-${at}`;
  }

  #inner(at: number): string {
    return `emi${this.#tag}${at}`;
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** For what may be gone already. */
function tryIp(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    // It is gone.
  }
}
