import { isLoopback } from './configuration/is-loopback.ts';
import type { Configuration } from './configuration/settings.ts';
import { databasePlace, redisPlace } from './database/database-place.ts';
import type { Service } from './service.ts';

/** What to try next, in lines that can be copied. */
export function welcome({ url, warnings }: Service, configuration: Configuration): string {
  const { host, webhookAllow } = configuration;
  const mayCallLoopback = webhookAllow.includes('loopback');
  const event = `{"type":"order.created","source":"shop","payload":{"total":12.5}}`;
  return [
    '',
    `EventManager listens on ${url} and keeps events ${whereKept(configuration)}.`,
    ...(isLoopback(host) ? ['There is no authentication, so it serves this machine only.'] : []),
    ...warnings.map((warning) => `WARNING: ${warning}`),
    '',
    'Watch events arrive (leave it running):',
    `  curl -N '${url}/events/stream?topic=%23'`,
    'Publish one, in another terminal:',
    `  curl -s ${url}/events -H 'content-type: application/json' -d '${event}'`,
    'Look at what is stored:',
    `  curl -s '${url}/events?type=order.*'`,
    mayCallLoopback
      ? 'Have events sent to a program on this machine:'
      : 'Have events sent to a program on this machine (start the service with EVENT_MANAGER_WEBHOOK_ALLOW=loopback for that):',
    `  curl -s ${url}/subscriptions -H 'content-type: application/json' -d '{"name":"orders","topic":"order.*","endpoint":"http://127.0.0.1:8080/hook"}'`,
    '',
    '',
  ].join('\n');
}

function whereKept({ adapter, dataDir, databaseUrl, redisUrl }: Configuration): string {
  if (adapter === 'memory') return 'in memory only';
  if (adapter === 'redis') return `in Redis: ${redisPlace(redisUrl!)}`;
  if (adapter !== 'postgres') return `in ${dataDir}`;
  return `in PostgreSQL: ${databasePlace(databaseUrl!)}${redisUrl === undefined ? '' : ', with Redis beside it'}`;
}
