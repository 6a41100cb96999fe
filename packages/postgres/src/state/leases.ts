import type { Lease } from '@event-manager/core';
import type { StateCore } from './state-core.ts';

/*
 * Leases live by the clock of the server: see `schema/0004-state.ts`, and `schema/0008-lease-duration.ts` for a clock that is set
 * back. Each statement may be repeated. Acquiring again gives
 * the same owner a newer token, of which only the newest is told; the others were never heard of.
 */

/** Gives those that nobody else held, in the order of asking. */
export async function acquireLeases(
  { connections, schema }: StateCore,
  resources: readonly string[],
  { owner, ttlMs }: { owner: string; ttlMs: number },
): Promise<readonly Lease[]> {
  if (resources.length === 0) return [];
  const rows = await connections.ask<{ ord: number; token: number }>(
    `SELECT ord, token FROM ${schema}.acquire_leases($1, $2, $3) AS r(ord, token) ORDER BY ord`,
    [resources, owner, ttlMs],
  );
  return rows.map(({ ord, token }) => ({ resource: resources[ord - 1]!, token }));
}

export async function leaseHolders(
  { connections, schema }: StateCore,
  resources: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const holders = new Array<string | undefined>(resources.length).fill(undefined);
  if (resources.length === 0) return holders;
  const rows = await connections.ask<{ ord: number; owner: string }>(
    `SELECT ord, owner FROM ${schema}.lease_holders($1) AS r(ord, owner)`,
    [resources],
  );
  for (const { ord, owner } of rows) holders[ord - 1] = owner;
  return holders;
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
