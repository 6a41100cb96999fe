import { isDatabaseAddress } from '../database/database-place.ts';
import { DATABASE_SETTINGS } from './database-settings.ts';
import { invalidSetting, type NoteMistake } from './given-settings.ts';
import type { SettledSetting } from './read-configuration.ts';
import { SETTINGS } from './settings.ts';

/** Settings that mean something only where events are kept in a database. */
const OF_DATABASE = Object.keys(DATABASE_SETTINGS) as readonly (keyof typeof DATABASE_SETTINGS)[];

/** Of these, what means the same to a Redis that keeps events. */
const OF_ANY_SERVER: ReadonlySet<string> = new Set([
  'databaseQueryTimeoutMs',
  'databaseStartTimeoutMs',
  'databaseDurability',
] satisfies (keyof typeof DATABASE_SETTINGS)[]);

export interface ChosenAdapter {
  readonly adapter: SettledSetting;
  /** What was given and has no effect, because events are kept elsewhere. */
  readonly warnings: readonly string[];
}

/**
 * Where events are kept: what `adapter` says, else the database whose address is given. Notes an address of our own beside
 * another adapter, because it says that events are kept there; one by the name that other programs share may be meant for them.
 */
export function chooseAdapter(settings: ReadonlyMap<string, SettledSetting>, note: NoteMistake): ChosenAdapter {
  const adapter = settings.get('adapter')!;
  const url = settings.get('databaseUrl')!;
  const isUrlGiven = url.kind !== 'default';
  const chosen =
    adapter.kind === 'default' && isUrlGiven
      ? { ...adapter, value: 'postgres', kind: url.kind, from: url.from }
      : adapter;
  if (chosen.value === 'postgres') {
    if (!isUrlGiven) note(invalidSetting('adapter', adapter.from, `needs a database: ${GIVE_ADDRESS}`));
    else if (!isDatabaseAddress(url.value as string))
      note(invalidSetting('databaseUrl', url.from, `must be ${EXPECTED}`));
    return { adapter: chosen, warnings: [] };
  }
  if (chosen.value === 'redis' && settings.get('redisUrl')!.kind === 'default') {
    note(invalidSetting('adapter', adapter.from, `needs a Redis: give its address by ${SETTINGS.redisUrl.variable}`));
  }
  if (isUrlGiven && !isShared(url.from)) {
    const words = `contradicts adapter (${adapter.from}), which says ${adapter.value}; remove one of them`;
    note(invalidSetting('databaseUrl', url.from, words));
  }
  const names = chosen.value === 'redis' ? OF_DATABASE.filter((name) => !OF_ANY_SERVER.has(name)) : OF_DATABASE;
  const idle = names.map((name) => settings.get(name)!);
  const warnings = idle
    .filter(({ kind }) => kind !== 'default')
    .map(({ row, from }) => `The setting ${row.name} (${from}) is not used: the adapter is ${chosen.value}.`);
  return { adapter: chosen, warnings };
}

const GIVE_ADDRESS = `give its address by ${SETTINGS.databaseUrl.variable}`;
const EXPECTED = 'an address such as postgresql://user:password@host:5432/database, with special characters as %xx';

function isShared(from: string): boolean {
  return SETTINGS.databaseUrl.aliases!.some((alias) => from === alias || from === `${alias}_FILE`);
}
