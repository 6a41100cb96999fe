/**
 * Hosts of their own that reach what this machine serves, each over a way that can be cut in either direction or both.
 *
 * Every host is a network namespace with one wire to a bridge. Clients come to its front address, and what it asks of a
 * service of this machine leaves from another, one for each service. A way is cut by telling one side a wrong hardware address of the
 * other: packets then vanish and nobody is told, as behind a switch that died, while clients still get through. So a cut of
 * one direction is real, too: what was asked arrives and the answer does not.
 */
import { execFileSync } from 'node:child_process';

export type Cut = 'there' | 'back' | 'both ways';

const NOBODY = '02:00:00:00:00:01';
/** Last parts of addresses. */
const FRONT = 11;
const HERE = 1;
/** Of a service, and of the first host as that service sees it. */
const SERVICES = { database: { at: 2, back: 111 }, redis: { at: 3, back: 141 } } as const;

export type LabService = keyof typeof SERVICES;
const NAMES = Object.keys(SERVICES) as readonly LabService[];

let labs = 0;

export class NetworkLab {
  /** The kernel takes a moment to forget the wires of the one before. */
  readonly #tag = `${process.pid}${String.fromCharCode(97 + (labs++ % 26))}`;
  readonly #net = `10.${214 + (process.pid % 40)}.${Math.floor(process.pid / 40) % 250}`;
  readonly #bridge = `emb${this.#tag}`;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    try {
      this.#build();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Of this machine, for what hosts call that is never cut off. */
  get here(): string {
    return `${this.#net}.${HERE}`;
  }

  get range(): string {
    return `${this.#net}.0/24`;
  }

  get hosts(): readonly number[] {
    return Array.from({ length: this.#size }, (_, at) => at);
  }

  addressOf(service: LabService): string {
    return `${this.#net}.${SERVICES[service].at}`;
  }

  /** Where clients find a host. */
  front(at: number): string {
    return `${this.#net}.${FRONT + at}`;
  }

  /** Where a service sees a host come from. */
  back(at: number, service: LabService): string {
    return `${this.#net}.${SERVICES[service].back + at}`;
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
    if (cut !== 'there') ip('neigh', 'replace', this.back(at, service), ...wrong, 'dev', this.#bridge);
  }

  heal(at: number): void {
    for (const service of NAMES) {
      tryIp('-n', this.#host(at), 'neigh', 'del', this.addressOf(service), 'dev', this.#inner(at));
      tryIp('neigh', 'del', this.back(at, service), 'dev', this.#bridge);
    }
  }

  /** A host whose last process is just ending would keep its wire for a while. */
  remove(): void {
    for (const at of this.hosts) {
      tryIp('link', 'delete', this.#outer(at));
      tryIp('netns', 'delete', this.#host(at));
    }
    tryIp('link', 'delete', this.#bridge);
  }

  #build(): void {
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    for (const last of [HERE, ...Object.values(SERVICES).map((service) => service.at)]) {
      ip('address', 'add', `${this.#net}.${last}/24`, 'dev', this.#bridge);
    }
    ip('link', 'set', this.#bridge, 'up');
    for (let at = 0; at < this.#size; at++) this.#addHost(at);
  }

  #addHost(at: number): void {
    const host = this.#host(at);
    const outer = this.#outer(at);
    const inner = this.#inner(at);
    ip('netns', 'add', host);
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
    ip('link', 'set', inner, 'netns', host);
    ip('link', 'set', outer, 'master', this.#bridge);
    ip('link', 'set', outer, 'up');
    ip('-n', host, 'link', 'set', 'lo', 'up');
    ip('-n', host, 'address', 'add', `${this.front(at)}/24`, 'dev', inner);
    for (const service of NAMES) ip('-n', host, 'address', 'add', `${this.back(at, service)}/24`, 'dev', inner);
    ip('-n', host, 'link', 'set', inner, 'up');
    for (const service of NAMES) {
      ip('-n', host, 'route', 'add', `${this.addressOf(service)}/32`, 'dev', inner, 'src', this.back(at, service));
    }
  }

  #host(at: number): string {
    return `em-lab-${this.#tag}-${at}`;
  }

  #outer(at: number): string {
    return `emo${this.#tag}${at}`;
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
