import { oneOf, setting, someText, textLike, wholeNumber } from './setting.ts';

const MINUTE_MS = 60_000;

/** Where events are kept when it is a PostgreSQL database. What is about any server that keeps them goes for a Redis that does as well. */
export const DATABASE_SETTINGS = {
  databaseUrl: setting<string | undefined>({
    variable: 'EVENT_MANAGER_DATABASE_URL',
    aliases: ['DATABASE_URL'],
    flag: 'database-url',
    // What the alias holds may be meant for another program: it is judged where it is known to be meant for this one.
    reader: someText,
    secret: true,
    fallback: undefined,
    reason:
      'A PostgreSQL database to keep events in: `postgresql://user:password@host:5432/database`, with several hosts (`one:5432,two:5432`) where there are copies. What stands on the command line is seen by every user of the machine.',
  }),
  databaseMaxConnections: setting({
    variable: 'EVENT_MANAGER_DATABASE_MAX_CONNECTIONS',
    reader: wholeNumber(1, 10_000),
    fallback: 20,
    reason:
      'Connections of this instance to the database; one or two more listen. All instances together must stay below `max_connections` of the server.',
  }),
  databaseQueryTimeoutMs: setting({
    variable: 'EVENT_MANAGER_DATABASE_QUERY_TIMEOUT_MS',
    spellings: ['databaseQueryTimeout'],
    reader: wholeNumber(100, 60 * MINUTE_MS),
    fallback: 5_000,
    reason:
      'Time for one call of the database, or of the Redis that keeps events, tries after failures that pass included; then it is answered with 503.',
  }),
  databaseStartTimeoutMs: setting({
    variable: 'EVENT_MANAGER_DATABASE_START_TIMEOUT_MS',
    spellings: ['databaseStartTimeout'],
    reader: wholeNumber(0, 60 * MINUTE_MS),
    fallback: MINUTE_MS,
    reason:
      'How long a start waits for a database, or a Redis that keeps events, that is not there yet, as when everything is started at once.',
  }),
  databaseSchema: setting({
    variable: 'EVENT_MANAGER_DATABASE_SCHEMA',
    reader: textLike(/^[a-z_][a-z0-9_]{0,39}$/, 'a name of small letters, digits and _, of 40 characters at most'),
    fallback: 'public',
    reason: 'Where the tables are; it is made when it is not there.',
  }),
  databaseDurability: setting<'synced' | 'relaxed'>({
    variable: 'EVENT_MANAGER_DATABASE_DURABILITY',
    reader: oneOf('synced', 'relaxed'),
    fallback: 'synced',
    reason:
      'Only relaxed takes a server that answers before a commit is on its disk (`fsync` or `synchronous_commit` of PostgreSQL; a Redis without `appendonly yes` and `appendfsync always`): what was acknowledged may then be lost.',
  }),
} as const;
