import { buildConnector } from 'undici';
import { type AddressGuard, bareHost } from './address-guard.ts';
import { endpointBlocked, mayDial } from './check-endpoint.ts';
import { judgedDialing, trustedDialing } from './guarded-dialing.ts';
import type { ResolveAddresses } from './resolve-addresses.ts';

export interface GuardedConnectorOptions {
  readonly guard: AddressGuard;
  readonly resolve: ResolveAddresses;
  readonly connectTimeoutMs: number;
  /** Makes the connector that dials; replaced in tests that must not dial. */
  readonly build?: typeof buildConnector;
}

/** Opens the connections of webhooks, each to an address that was judged for it (`guarded-dialing.ts`). */
export function guardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { guard, connectTimeoutMs, build = buildConnector } = options;
  const shared = { timeout: connectTimeoutMs, allowH2: false };
  // The types of undici demand either a port or a path, which it gives itself at each connection.
  const guarded = build({ ...shared, ...judgedDialing(options) } as buildConnector.BuildOptions);
  const trusted = build({ ...shared, ...trustedDialing(options) } as buildConnector.BuildOptions);
  return (target, callback) => {
    const host = bareHost(target.hostname);
    if (guard.trusts(host)) trusted(target, callback);
    else if (mayDial(host, guard)) guarded(target, callback);
    else callback(endpointBlocked(), null);
  };
}
