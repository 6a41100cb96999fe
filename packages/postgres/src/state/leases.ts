import type { Lease } from '@event-manager/core';
import type { StateCore } from './state-core.ts';

/*
 * Leases live by the clock of the server: see `schema/0004-state.ts`. Each statement may be repeated. Acquiring again gives
 * the same owner a newer token, of which only the newest is told; the others were never heard of.
 */

export async function acquireLease(
  { connections, schema }: StateCore,
  resource: string,
  { owner, ttlMs }: { owner: string; ttlMs: number },
): Promise<Lease | undefined> {
  const [row] = await connections.ask<{ token: number | null }>(`SELECT ${schema}.acquire_lease($1, $2, $3) AS token`, [
    resource,
    owner,
    ttlMs,
  ]);
  const { token } = row!;
  return token === null ? undefined : { resource, token };
}

/** Gives those that are not held any more. */
export async function renewLeases(
  { connections, schema }: StateCore,
  leases: readonly Lease[],
  ttlMs: number,
): Promise<readonly Lease[]> {
  if (leases.length === 0) return [];
  const rows = await connections.ask<{ ord: number }>(`SELECT ord FROM ${schema}.renew_leases($1, $2, $3) AS r(ord)`, [
    ...columnsOf(leases),
    ttlMs,
  ]);
  const held = new Set(rows.map(({ ord }) => ord - 1));
  return leases.filter((_, at) => !held.has(at));
}

export async function releaseLeases({ connections, schema }: StateCore, leases: readonly Lease[]): Promise<void> {
  if (leases.length === 0) return;
  await connections.ask(`SELECT ${schema}.release_leases($1, $2)`, columnsOf(leases));
}

function columnsOf(leases: readonly Lease[]): [string[], number[]] {
  return [leases.map(({ resource }) => resource), leases.map(({ token }) => token)];
}
