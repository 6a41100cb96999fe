/**
 * Opens connections for webhooks so that the address which was judged is the address that is dialled.
 *
 *     literal address ── judged here ───────────────────────────────┐
 *     name ── resolved once ── every answer judged ── answers handed ┴─▶ net.connect ── judged again by its block list
 *
 * A name is resolved inside the connection attempt and its answers go straight into it; nobody resolves a second time, so a
 * server that answers differently each time (DNS rebinding) gains nothing. One bad answer refuses all: no public service mixes
 * public and private addresses. The block list of `net.connect` is the second net: it also sees literals, for which
 * `lookup` is never called.
 */
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { type AddressGuard, bareHost } from './address-guard.ts';
import { endpointBlocked, mayDial } from './check-endpoint.ts';
import type { ResolveAddresses } from './resolve-addresses.ts';

export interface GuardedConnectorOptions {
  readonly guard: AddressGuard;
  readonly resolve: ResolveAddresses;
  readonly connectTimeoutMs: number;
  /** Makes the connector that dials; replaced in tests that must not dial. */
  readonly build?: typeof buildConnector;
}

export function guardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { guard, resolve, connectTimeoutMs, build = buildConnector } = options;
  const shared = { timeout: connectTimeoutMs, allowH2: false, autoSelectFamily: true };
  // The types of undici demand either a port or a path, which it gives itself at each connection.
  const guarded = build({
    ...shared,
    lookup: lookupBy(resolve, (address) => !guard.refuses(address)),
    blockList: new GuardedList(guard),
  } as buildConnector.BuildOptions);
  const trusted = build({ ...shared, lookup: lookupBy(resolve, () => true) } as buildConnector.BuildOptions);
  return (target, callback) => {
    const host = bareHost(target.hostname);
    if (guard.trusts(host)) trusted(target, callback);
    else if (mayDial(host, guard)) guarded(target, callback);
    else callback(endpointBlocked(), null);
  };
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
