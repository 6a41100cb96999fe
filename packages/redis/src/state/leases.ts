import type { Lease } from '@event-manager/core';
import { ACQUIRE_LEASES, LEASE_HOLDERS, RELEASE_LEASES, RENEW_LEASES } from '../lua/leases.ts';
import type { StateCore } from './state-core.ts';

/*
 * Leases live by the clock of the server: see `lua/leases.ts`. Each script may be repeated. Acquiring again gives the same owner a
 * newer token, of which only the newest is told; the others were never heard of.
 */

/** Gives those that nobody else held, in the order of asking. */
export async function acquireLeases(
  { connection }: StateCore,
  resources: readonly string[],
  { owner, ttlMs }: { owner: string; ttlMs: number },
): Promise<readonly Lease[]> {
  if (resources.length === 0) return [];
  const reply = (await connection.ask(ACQUIRE_LEASES, owner, Math.ceil(ttlMs), ...resources)) as readonly number[];
  const leases: Lease[] = [];
  for (let at = 0; at < reply.length; at += 2) {
    leases.push({ resource: resources[reply[at]! - 1]!, token: reply[at + 1]! });
  }
  return leases;
}

export async function leaseHolders(
  { connection }: StateCore,
  resources: readonly string[],
): Promise<readonly (string | undefined)[]> {
  if (resources.length === 0) return [];
  const reply = (await connection.ask(LEASE_HOLDERS, ...resources)) as readonly (Buffer | null)[];
  return reply.map((owner) => owner?.toString());
}

/** Gives those that are not held any more. */
export async function renewLeases(
  { connection }: StateCore,
  leases: readonly Lease[],
  ttlMs: number,
): Promise<readonly Lease[]> {
  if (leases.length === 0) return [];
  const reply = (await connection.ask(RENEW_LEASES, Math.ceil(ttlMs), ...pairsOf(leases))) as readonly number[];
  const held = new Set(reply.map((ordinal) => ordinal - 1));
  return leases.filter((_, at) => !held.has(at));
}

export async function releaseLeases({ connection }: StateCore, leases: readonly Lease[]): Promise<void> {
  if (leases.length > 0) await connection.ask(RELEASE_LEASES, ...pairsOf(leases));
}

function pairsOf(leases: readonly Lease[]): (string | number)[] {
  return leases.flatMap(({ resource, token }) => [resource, token]);
}
