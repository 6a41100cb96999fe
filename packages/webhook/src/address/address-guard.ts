import { BlockList, isIP } from 'node:net';
import { EventManagerError } from '@event-manager/core';
import { LOOPBACK, SPECIAL_IPV4, SPECIAL_IPV6 } from './special-ranges.ts';

/**
 * Decides which addresses may be called, so that whoever creates a subscription cannot make this process talk to the network
 * it stands in. Judged is always the address that is dialled, never a name: a name may answer differently the next time.
 */
export interface AddressGuard {
  /** True when nothing may be sent to this IP address. Text that is no address is refused. */
  refuses(address: string): boolean;
  /** True when the host was named by the setting: it may be called whatever it resolves to. */
  trusts(hostname: string): boolean;
}

export interface AddressGuardOptions {
  /** What is allowed beyond the public internet: `loopback`, an address, a range such as `10.1.0.0/16`, or a host name. */
  readonly allow?: readonly string[];
}

export function addressGuard(options: AddressGuardOptions = {}): AddressGuard {
  const refused = new AddressRanges([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
  const allowed = new AddressRanges([]);
  const hosts = new Set<string>();
  for (const entry of options.allow ?? []) {
    if (entry === 'loopback') for (const range of LOOPBACK) allowed.add(range);
    else if (isIP(entry.split('/')[0]!) !== 0) allowed.add(entry);
    else hosts.add(readHost(entry));
  }
  return {
    refuses: (address) => isIP(address) === 0 || (refused.hold(address) && !allowed.hold(address)),
    trusts: (hostname) => hosts.has(bareHost(hostname)),
  };
}

/** A host as names are compared: lower case, no brackets, no final dot. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

function readHost(entry: string): string {
  const host = bareHost(entry);
  if (/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(host)) return host;
  throw badEntry(entry);
}

function badEntry(entry: string): EventManagerError {
  const message = 'Allowed may be "loopback", an IP address, a range such as 10.1.0.0/16, or a host name.';
  return new EventManagerError('invalid_setting', message, { value: entry.slice(0, 100) });
}

/**
 * One list per family, because a `BlockList` compares an IPv4 address with an IPv6 range by mapping it to ::ffff:0:0/96, which
 * would put every IPv4 address into ::/3.
 */
class AddressRanges {
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) this.add(range);
  }

  add(range: string): void {
    const [address, bits, ...rest] = range.split('/');
    const family = isIP(address!);
    const widest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (prefix < 0 || prefix > widest || rest.length > 0) throw badEntry(range);
    if (family === 4) this.#ipv4.addSubnet(address!, prefix, 'ipv4');
    else this.#ipv6.addSubnet(address!, prefix, 'ipv6');
  }

  hold(address: string): boolean {
    // A zone (`fe80::1%eth0`) says on which link, not which address.
    const bare = address.split('%')[0]!;
    return isIP(bare) === 4 ? this.#ipv4.check(bare, 'ipv4') : this.#ipv6.check(bare, 'ipv6');
  }
}
