import { BlockList, isIP, SocketAddress } from 'node:net';

/** The longest text of an address: IPv6 with an IPv4 address at its end. */
const ADDRESS_CHARACTERS_MAX = 45;
const MAPPED = '::ffff:';

/** A block of addresses as it is written: `10.0.0.0/8`, `2001:db8::/32`. `undefined` for anything else. */
export function parseCidr(text: unknown): { address: SocketAddress; bits: number } | undefined {
  if (typeof text !== 'string') return undefined;
  const slash = text.indexOf('/');
  const address = addressOf(text.slice(0, Math.max(0, slash)));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const bits = Number(digits);
  // What is an IPv4 address is compared as one: a block of them in the other form would never be looked at.
  const isMapped = text.includes(':') && address.family === 'ipv4';
  return isMapped || bits > (address.family === 'ipv4' ? 32 : 128) ? undefined : { address, bits };
}

/**
 * Makes the test whether a text is an address in one of the blocks; `undefined` when one of them cannot be read. One list per
 * family, because a list that knows both maps the one to the other by rules of its own.
 */
export function compileCidr(blocks: readonly unknown[]): ((text: string) => boolean) | undefined {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const block of blocks) {
    const parsed = parseCidr(block);
    if (parsed === undefined) return undefined;
    const { address, bits } = parsed;
    lists[address.family].addSubnet(address, bits);
  }
  return (text) => {
    // The usual case needs no object.
    if (text.length <= ADDRESS_CHARACTERS_MAX && isIP(text) === 4) return lists.ipv4.check(text, 'ipv4');
    const address = addressOf(text);
    return address !== undefined && lists[address.family].check(address);
  };
}

/**
 * An IPv4 address in the form of IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. A zone (`fe80::1%eth0`) names an interface of
 * one machine, which no block can mean.
 */
function addressOf(text: string): SocketAddress | undefined {
  if (text.length > ADDRESS_CHARACTERS_MAX || text.includes('%')) return undefined;
  const version = isIP(text);
  if (version === 0) return undefined;
  if (version === 4) return new SocketAddress({ address: text, family: 'ipv4' });
  const address = new SocketAddress({ address: text, family: 'ipv6' });
  if (!address.address.startsWith(MAPPED)) return address;
  const rest = address.address.slice(MAPPED.length);
  return isIP(rest) === 4 ? new SocketAddress({ address: rest, family: 'ipv4' }) : address;
}
