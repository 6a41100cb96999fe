import { setting, someText, textLike } from './setting.ts';

/** A Redis beside the database, or one that keeps everything. */
export const REDIS_SETTINGS = {
  redisUrl: setting<string | undefined>({
    variable: 'EVENT_MANAGER_REDIS_URL',
    aliases: ['REDIS_URL'],
    // What the alias holds may be meant for another program: it is judged where it is known to be meant for this one.
    reader: someText,
    secret: true,
    fallback: undefined,
    reason:
      'A Redis: `redis://user:password@host:6379/0`, or `rediss://` for TLS. Beside a database it carries news between the instances, and nothing is kept there; without it the database carries them. With the adapter redis it keeps everything.',
  }),
  redisKeyPrefix: setting({
    variable: 'EVENT_MANAGER_REDIS_KEY_PREFIX',
    reader: textLike(/^[!-~]{1,128}$/, 'a text of 1 to 128 visible characters of ASCII'),
    fallback: 'dadms:events:',
    reason:
      'What every name in Redis begins with; the same for all instances that share a store. Behind it stands the id of the database, so databases that have nothing to do with each other may have the same; stores that Redis itself keeps may not.',
  }),
} as const;
