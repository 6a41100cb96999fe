/**
 * What it means when a database cannot be opened: something that passes, as when everything is started at once, or something
 * that somebody has to mend, and what. The texts name the place and never what an address holds besides.
 */
import { type EventManagerError, isEventManagerError } from '@event-manager/core';
import type { Configuration } from '../configuration/settings.ts';
import { databasePlace, redisPlace } from './database-place.ts';

const CORRECT = 'Correct the address in EVENT_MANAGER_DATABASE_URL.';

/** By what the server says (PostgreSQL, appendix A). */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': `refused the user or the password. ${CORRECT}`,
  '28000': `does not let this user in, by its pg_hba.conf. Let it in there, or correct the address in EVENT_MANAGER_DATABASE_URL.`,
  '3D000': `does not exist. Make it (createdb), or correct the address in EVENT_MANAGER_DATABASE_URL.`,
  '42501': `does not let this user make its tables. Make it the owner of the database, or GRANT CREATE on its schema.`,
};

/** By how the driver and the ways of encryption begin to say what no later try would change. */
const LASTING: readonly (readonly [RegExp, string])[] = [
  [/^SASL/, `asks for a password, and the address has none. ${CORRECT}`],
  [
    /does not support SSL/,
    'does not encrypt, and the address asks for it. Correct sslmode in EVENT_MANAGER_DATABASE_URL.',
  ],
  [
    /certificate|altname/i,
    'has a certificate that cannot be trusted. Correct sslmode or sslrootcert in EVENT_MANAGER_DATABASE_URL.',
  ],
];

/** True for what may be gone at the next try. */
export function isPassing(error: unknown): boolean {
  return isEventManagerError(error, 'store_unavailable') && lastingWords(error) === undefined;
}

/** One sentence for the person at the terminal; `undefined` when it is about something else. */
export function databaseFailure(error: unknown, configuration: Configuration): string | undefined {
  if (!isEventManagerError(error)) return undefined;
  if (configuration.adapter === 'redis') return redisFailure(error, configuration);
  if (configuration.adapter !== 'postgres') return undefined;
  const place = `PostgreSQL (${databasePlace(configuration.databaseUrl!)})`;
  const words = lastingWords(error);
  if (words !== undefined) return `${place} ${words} [${error.code}]`;
  if (error.code !== 'store_unavailable') return undefined;
  const advice = 'Start it, or correct the address in EVENT_MANAGER_DATABASE_URL.';
  return `${place} could not be reached${waitedFor(configuration)}. ${advice} [${error.code}]`;
}

/** What no later try would change is a mistake in the settings, and says so itself. */
function redisFailure(error: EventManagerError, configuration: Configuration): string | undefined {
  if (error.code !== 'store_unavailable') return undefined;
  const place = `Redis (${redisPlace(configuration.redisUrl!)})`;
  const advice = 'Start it, or correct the address in EVENT_MANAGER_REDIS_URL.';
  return `${place} could not be used${waitedFor(configuration)}: ${error.message} ${advice} [${error.code}]`;
}

function waitedFor({ databaseStartTimeoutMs: waitedMs }: Configuration): string {
  return waitedMs === 0 ? '' : ` for ${Math.round(waitedMs / 1_000)} s`;
}

function lastingWords(error: EventManagerError): string | undefined {
  const refusal = REFUSALS[String(error.details['sqlState'])];
  if (refusal !== undefined) return refusal;
  const said = error.cause instanceof Error ? error.cause.message : '';
  return LASTING.find(([form]) => form.test(said))?.[1];
}
