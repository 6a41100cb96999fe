import { invalidSetting, type NoteMistake } from './given-settings.ts';
import type { SettledSetting } from './read-configuration.ts';
import { SETTINGS } from './settings.ts';
import { splitAddress } from './split-address.ts';

const EXPECTED = 'an address such as redis://user:password@host:6379/0, with special characters as %xx';
const SCHEMES: ReadonlySet<string> = new Set(['redis', 'rediss']);
const DATABASE = /^\d{0,5}$/;

/**
 * What was given for a Redis and has no effect. Unless the adapter says so Redis keeps nothing and carries news between instances, so an
 * address of our own without a database is a mistake that is noted: whoever gives it believes that events are kept there. One by
 * the name that other programs share may be meant for them.
 */
export function checkRedis(settings: ReadonlyMap<string, SettledSetting>, note: NoteMistake): readonly string[] {
  const url = settings.get('redisUrl')!;
  const prefix = settings.get('redisKeyPrefix')!;
  const adapter = settings.get('adapter')!.value as string;
  const isUrlGiven = url.kind !== 'default';
  if ((adapter === 'postgres' || adapter === 'redis') && isUrlGiven) {
    if (!isAddress(url.value as string)) note(invalidSetting('redisUrl', url.from, `must be ${EXPECTED}`));
    return [];
  }
  if (isUrlGiven && !isShared(url.from)) {
    const words = `needs a database beside it: the adapter is ${adapter}, and Redis keeps no events; give ${SETTINGS.databaseUrl.variable}, choose the adapter redis, or remove this`;
    note(invalidSetting('redisUrl', url.from, words));
    return [];
  }
  const why = adapter === 'postgres' || adapter === 'redis' ? 'no Redis is given' : `the adapter is ${adapter}`;
  return [url, prefix]
    .filter(({ kind }) => kind !== 'default')
    .map(({ row, from }) => `The setting ${row.name} (${from}) is not used: ${why}.`);
}

function isAddress(text: string): boolean {
  const address = splitAddress(text);
  if (!address || !SCHEMES.has(address.scheme) || address.hosts === '' || address.parameters !== undefined)
    return false;
  return DATABASE.test(address.path ?? '') && URL.canParse(text);
}

function isShared(from: string): boolean {
  return SETTINGS.redisUrl.aliases!.some((alias) => from === alias || from === `${alias}_FILE`);
}
