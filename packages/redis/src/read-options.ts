import {
  EventManagerError,
  type RetentionOptions,
  type Runtime,
  refuseUnknownOptions,
  systemRuntime,
} from '@event-manager/core';
import { type RedisAddress, readUrl } from './connect/read-url.ts';

export interface RedisOptions {
  /** `redis://user:password@host:port/database`, or `rediss://` for TLS: in place of the parts below. */
  readonly url?: string | undefined;
  /** `localhost` when absent. */
  readonly host?: string | undefined;
  /** 6379 when absent. */
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Number of the database; 0 when absent. */
  readonly db?: number | undefined;
  /** Encrypts, and trusts what Node trusts (`NODE_EXTRA_CA_CERTS` adds to it). */
  readonly tls?: boolean | undefined;
  /**
   * What every name in Redis begins with; processes that share a bus give the same, buses that share a database another one.
   * `dadms:events:` when absent.
   */
  readonly keyPrefix?: string | undefined;
  /**
   * `synced` refuses a server that answers before a write is on its disk. When absent the server decides, and `supports` and
   * health say how.
   */
  readonly durability?: 'synced' | 'relaxed' | undefined;
  /** How long a call may take, tries after failures that pass included; 5 000 when absent. */
  readonly commandTimeoutMs?: number | undefined;
  /** Events that are older go, as soon as nobody is owed them. All are kept when absent. */
  readonly ttlMs?: number | undefined;
  /** The oldest events go while there are more, as soon as nobody is owed them. All are kept when absent. */
  readonly maxHistory?: number | undefined;
  readonly runtime?: Runtime | undefined;
}

/** Complete by its type: an option that is missing here does not compile. */
const OPTION_NAMES: { readonly [Name in keyof Required<RedisOptions>]: true } = {
  url: true,
  host: true,
  port: true,
  username: true,
  password: true,
  db: true,
  tls: true,
  keyPrefix: true,
  durability: true,
  commandTimeoutMs: true,
  ttlMs: true,
  maxHistory: true,
  runtime: true,
};

const COMMAND_TIMEOUT_MS_DEFAULT = 5_000;
const PORT_DEFAULT = 6_379;
const PORT_MAX = 65_535;
const DATABASE_MAX = 99_999;
const PARTS = ['host', 'port', 'username', 'password', 'db', 'tls'] as const;

export const KEY_PREFIX_DEFAULT = 'dadms:events:';
const KEY_PREFIX = /^[!-~]{1,128}$/;

export interface RedisSettings {
  readonly address: RedisAddress;
  readonly keyPrefix: string;
  readonly durability: 'synced' | 'relaxed' | undefined;
  readonly commandTimeoutMs: number;
  readonly retention: RetentionOptions | undefined;
  readonly runtime: Runtime;
}

/** Throws `invalid_setting`, which never repeats what was given, and TypeError for what no program can mean. */
export function readOptions(options: RedisOptions): RedisSettings {
  refuseUnknownOptions(options, Object.keys(OPTION_NAMES), 'redis');
  const { keyPrefix = KEY_PREFIX_DEFAULT, durability, runtime = systemRuntime } = options;
  assertKeyPrefix(keyPrefix);
  if (durability !== undefined && durability !== 'synced' && durability !== 'relaxed') {
    throw new EventManagerError('invalid_setting', 'durability must be synced or relaxed.');
  }
  const commandTimeoutMs = whole(options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS_DEFAULT, {
    name: 'commandTimeoutMs',
    min: 1,
  });
  const retention = readRetention(options);
  return { address: readAddress(options), keyPrefix, durability, commandTimeoutMs, retention, runtime };
}

/** What is owed stays however old it is. */
function readRetention({ ttlMs, maxHistory }: RedisOptions): RetentionOptions | undefined {
  if (ttlMs === undefined && maxHistory === undefined) return undefined;
  return {
    ...(ttlMs === undefined ? {} : { ageMs: whole(ttlMs, { name: 'ttlMs', min: 1 }) }),
    ...(maxHistory === undefined ? {} : { eventsMax: whole(maxHistory, { name: 'maxHistory', min: 1 }) }),
    owedAgeMs: Number.MAX_SAFE_INTEGER,
  };
}

export function assertKeyPrefix(keyPrefix: unknown): asserts keyPrefix is string {
  if (typeof keyPrefix === 'string' && KEY_PREFIX.test(keyPrefix)) return;
  throw new EventManagerError('invalid_setting', 'keyPrefix must be 1 to 128 visible characters of ASCII.');
}

function readAddress(options: RedisOptions): RedisAddress {
  const { url, host = 'localhost', port = PORT_DEFAULT, username, password, db = 0, tls = false } = options;
  if (url !== undefined) {
    const part = PARTS.find((name) => options[name] !== undefined);
    if (part !== undefined) throw new EventManagerError('invalid_setting', `url and ${part} say the same; give one.`);
    if (typeof url !== 'string') throw new TypeError('url must be a string.');
    return readUrl(url);
  }
  if (typeof host !== 'string' || host === '') throw new EventManagerError('invalid_setting', 'host must be a name.');
  if (typeof tls !== 'boolean') throw new EventManagerError('invalid_setting', 'tls must be true or false.');
  return {
    host,
    port: whole(port, { name: 'port', min: 1, max: PORT_MAX }),
    tls,
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
    database: whole(db, { name: 'db', min: 0, max: DATABASE_MAX }),
  };
}

function whole(value: number, { name, min, max }: { name: string; min: number; max?: number }): number {
  if (Number.isSafeInteger(value) && value >= min && value <= (max ?? value)) return value;
  const range = max === undefined ? `from ${min} on` : `from ${min} to ${max}`;
  throw new EventManagerError('invalid_setting', `${name} must be a whole number ${range}.`);
}
