import { isEventManagerError } from '@event-manager/core';
import { examineDatabase } from '@event-manager/postgres';
import { databaseFailure, databasePlace } from '@event-manager/server/configuration';
import type { Finding, Patient } from './check.ts';

type Verdict = Omit<Finding, 'check'>;

/** Nothing where events are kept elsewhere. */
export async function checkDatabase({ configuration, isServing }: Patient): Promise<Finding[]> {
  const { adapter, databaseUrl: url, databaseSchema: schema, databaseDurability: durability } = configuration;
  if (adapter !== 'postgres' || url === undefined) return [];
  const place = databasePlace(url);
  try {
    const { version, connections, connectionsMax, isMade } = await examineDatabase({ url, schema, durability });
    const made = isMade ? 'its tables are there' : 'its tables will be made';
    const detail = `${place}: PostgreSQL ${version}, ${made}`;
    const verdicts: Verdict[] = [{ status: 'ok', detail }];
    const free = connectionsMax - connections;
    const detailOfRoom = `${connections} of ${connectionsMax} connections are used`;
    // The running service has its own already.
    const isRoomy = isServing || free > configuration.databaseMaxConnections;
    const advice = 'Lower databaseMaxConnections, or raise max_connections of the server.';
    verdicts.push({ status: isRoomy ? 'ok' : 'warning', detail: detailOfRoom, ...(isRoomy ? {} : { advice }) });
    return verdicts.map((verdict) => ({ check: 'database', ...verdict }));
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    const detail = databaseFailure(error, { ...configuration, databaseStartTimeoutMs: 0 }) ?? error.message;
    return [{ check: 'database', status: 'failed', detail, advice: 'The service would not start.' }];
  }
}
