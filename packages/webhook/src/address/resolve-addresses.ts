import { Resolver } from 'node:dns/promises';

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Asks for the addresses of a name. Rejects when there is none. */
export type ResolveAddresses = (hostname: string) => Promise<readonly Address[]>;

const TIMEOUT_MS = 2_000;
const TRIES = 2;
const LOOPBACK: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Resolves by asking DNS servers from the event loop. Never `dns.lookup`: it runs in the thread pool, where four slow names
 * stall everything else that waits there, file writes included. The hosts file and search domains are not read: an endpoint
 * needs a full name.
 */
export function dnsAddresses(
  resolver: Resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES }),
): ResolveAddresses {
  return async (hostname) => {
    // RFC 6761: these names are never asked for.
    if (hostname === 'localhost' || hostname.endsWith('.localhost')) return LOOPBACK;
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found: Address[] = [];
    if (ipv4.status === 'fulfilled') for (const address of ipv4.value) found.push({ address, family: 4 });
    if (ipv6.status === 'fulfilled') for (const address of ipv6.value) found.push({ address, family: 6 });
    if (found.length === 0 && ipv4.status === 'rejected') throw ipv4.reason;
    return found;
  };
}
