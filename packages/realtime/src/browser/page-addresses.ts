import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BrowserSettings } from './browser-options.ts';

/** The half of an address that tells networks apart: who has one of version 6 has all addresses of the other half. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;
/** How a socket of version 6 shows an address of version 4. */
const MAPPED = '::ffff:';

/**
 * How many requests and connections of each address there are. A place is taken when somebody asks, before any answer is waited
 * for, and given back when the socket is closed, whatever became of it: let in, refused, or never a WebSocket.
 */
export class PageAddresses {
  readonly #max: number;
  readonly #addressOf: (request: IncomingMessage) => string | undefined;
  readonly #taken = new Map<string, number>();

  constructor({
    maxConnectionsPerAddress: max,
    addressOf,
  }: Pick<BrowserSettings, 'maxConnectionsPerAddress' | 'addressOf'>) {
    this.#max = max ?? Number.POSITIVE_INFINITY;
    this.#addressOf = addressOf ?? (({ socket }) => socket.remoteAddress);
  }

  /** False when the address has no place left. One that has none of the network, as behind a Unix socket, is not counted. */
  take(request: IncomingMessage, socket: Duplex): boolean {
    if (this.#max === Number.POSITIVE_INFINITY) return true;
    const address = this.#addressOf(request);
    if (address === undefined || socket.destroyed) return true;
    const name = networkOf(address.trim());
    const taken = this.#taken.get(name) ?? 0;
    if (taken >= this.#max) return false;
    this.#taken.set(name, taken + 1);
    socket.once('close', () => this.#giveBack(name));
    return true;
  }

  #giveBack(name: string): void {
    const left = this.#taken.get(name)! - 1;
    if (left > 0) this.#taken.set(name, left);
    else this.#taken.delete(name);
  }
}

/** What an address of version 6 shares with its neighbours; one of version 4 is its own. */
function networkOf(address: string): string {
  if (address.toLowerCase().startsWith(MAPPED) && address.includes('.')) return address.slice(MAPPED.length);
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%', 1)[0]!.split('::');
  const [before, behind] = [groupsOf(head), groupsOf(tail)];
  const left = address.includes('::') ? GROUPS - before.length - behind.length : 0;
  const groups = [...before, ...Array<string>(left).fill('0'), ...behind];
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** An address of version 4 at the end takes the place of two. */
function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
