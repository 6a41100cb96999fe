/**
 * Options under which `net.connect` and `tls.connect` dial the address that was judged, and no other.
 *
 *     literal address ── judged before ─────────────────────────────┐
 *     name ── resolved once ── every answer judged ── answers handed ┴─▶ net.connect ── judged again by its block list
 *
 * A name is resolved inside the connection attempt and its answers go straight into it; nobody resolves a second time, so a
 * server that answers differently each time (DNS rebinding) gains nothing. One bad answer refuses all: no public service mixes
 * public and private addresses. The block list of `net.connect` is the second net: it also sees literals, for which
 * `lookup` is never called.
 */
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type AddressGuard, bareHost } from './address-guard.ts';
import { endpointBlocked, mayDial } from './check-endpoint.ts';
import type { ResolveAddresses } from './resolve-addresses.ts';

export interface GuardedDialing {
  readonly lookup: LookupFunction;
  /** Absent for a host that the setting names: it may be called whatever it resolves to. */
  readonly blockList?: BlockList;
  readonly autoSelectFamily: true;
}

export interface GuardedDialingOptions {
  readonly guard: AddressGuard;
  readonly resolve: ResolveAddresses;
}

/** Throws `endpoint_blocked` when the host may not be dialled whatever it resolves to. */
export function guardedDialing(hostname: string, options: GuardedDialingOptions): GuardedDialing {
  const host = bareHost(hostname);
  if (options.guard.trusts(host)) return trustedDialing(options);
  if (!mayDial(host, options.guard)) throw endpointBlocked();
  return judgedDialing(options);
}

export function judgedDialing({ guard, resolve }: GuardedDialingOptions): GuardedDialing {
  const lookup = lookupBy(resolve, (address) => !guard.refuses(address));
  return { lookup, blockList: new GuardedList(guard), autoSelectFamily: true };
}

export function trustedDialing({ resolve }: GuardedDialingOptions): GuardedDialing {
  return { lookup: lookupBy(resolve, () => true), autoSelectFamily: true };
}

function lookupBy(resolve: ResolveAddresses, mayUse: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(bareHost(hostname)).then(
      (addresses) => {
        if (addresses.length === 0) callback(nameNotFound(), '', 0);
        else if (!addresses.every(({ address }) => mayUse(address))) callback(endpointBlocked(), '', 0);
        else if (all === true) callback(null, [...addresses]);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      },
      (error) => callback(error, '', 0),
    );
  };
}

function nameNotFound(): NodeJS.ErrnoException {
  return Object.assign(new TypeError('The name has no address.'), { code: 'ENOTFOUND' });
}

/** `net.connect` accepts only a `BlockList`, which cannot hold exceptions; so its question is answered by the guard. */
class GuardedList extends BlockList {
  readonly #guard: AddressGuard;

  constructor(guard: AddressGuard) {
    super();
    this.#guard = guard;
  }

  override check(address: unknown): boolean {
    const text = typeof address === 'string' ? address : (address as { address: string }).address;
    return isIP(text) === 0 || this.#guard.refuses(text);
  }
}
