import { EventManagerError } from '@event-manager/core';

/** Where a Redis is and who we are there. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

const PORT_DEFAULT = 6379;
const FORM = 'url must be redis://user:password@host:port/database, or rediss:// for TLS';

/**
 * Read here and not by the driver, whose errors repeat the url with its password. Throws `invalid_setting`, and never says
 * what was given.
 */
export function readUrl(text: string): RedisAddress {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') throw refused(FORM);
  // What this version does not know must not look as if it had an effect.
  if (url.search !== '' || url.hash !== '') throw refused(`${FORM}; nothing may stand behind a ? or #`);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? PORT_DEFAULT : Number(url.port),
    tls: url.protocol === 'rediss:',
    username: decoded(url.username),
    password: decoded(url.password),
    database: readDatabase(url.pathname),
  };
}

function readDatabase(path: string): number {
  if (path === '' || path === '/') return 0;
  if (!/^\/\d{1,5}$/.test(path)) throw refused(`${FORM}; the database is a number`);
  return Number(path.slice(1));
}

function decoded(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused(`${FORM}; a % in user or password is written as %25`);
  }
}

function refused(why: string): EventManagerError {
  return new EventManagerError('invalid_setting', `${why}.`);
}
