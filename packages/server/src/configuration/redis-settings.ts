import { setting, someText, textLike } from './setting.ts';

/** A Redis beside the database. */
export const REDIS_SETTINGS = {
  redisUrl: setting<string | undefined>({
    variable: 'EVENT_MANAGER_REDIS_URL',
    aliases: ['REDIS_URL'],
    // What the alias holds may be meant for another program: it is judged where it is known to be meant for this one.
    reader: someText,
    secret: true,
    fallback: undefined,
    reason:
      'A Redis that carries news between instances that share a database: `redis://user:password@host:6379/0`, or `rediss://` for TLS. Nothing is kept there; without it the database carries them.',
  }),
  redisKeyPrefix: setting({
    variable: 'EVENT_MANAGER_REDIS_KEY_PREFIX',
    reader: textLike(/^[!-~]{1,128}$/, 'a text of 1 to 128 visible characters of ASCII'),
    fallback: 'dadms:events:',
    reason:
      'What every name in Redis begins with, before the id of the database; the same for all instances that share one. Databases that have nothing to do with each other may have the same.',
  }),
} as const;
