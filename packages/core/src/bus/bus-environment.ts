import { EventManagerError } from '../errors/event-manager-error.ts';
import {
  BUS_ADAPTERS,
  type BusConfiguration,
  type KafkaConfiguration,
  type RedisConfiguration,
  SASL_MECHANISMS,
} from './bus-configuration.ts';

/** Variables by their names; one that is empty is absent. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Every variable of the bus. Those of Redis and Kafka are read where that adapter is chosen: other programs have them, too. */
const BUS_VARIABLES = [
  'EVENT_BUS_ADAPTER',
  'EVENT_BUS_DATA_DIR',
  'EVENT_BUS_REDIS_URL',
  'EVENT_BUS_REDIS_KEY_PREFIX',
  'EVENT_BUS_MEMORY_MAX_HISTORY',
  'EVENT_BUS_MEMORY_PERSIST',
  'EVENT_BUS_DEFAULT_MAX_RETRIES',
  'EVENT_BUS_DEFAULT_AUTO_ACK',
  'EVENT_BUS_DEFAULT_USE_DLQ',
];
/** What begins like this is meant for us; `EVENT_BUS_NAME` may be meant for somebody else. */
const OUR_PREFIXES = [
  'EVENT_BUS_ADAPT',
  'EVENT_BUS_DATA',
  'EVENT_BUS_MEMORY_',
  'EVENT_BUS_REDIS_',
  'EVENT_BUS_DEFAULT_',
];

/**
 * Reads the bus out of the environment. A number and a flag that nobody gave are absent: their defaults belong to whoever has
 * them. Throws `invalid_setting` with `details.setting`, the name of the variable; never its value, which may be a password.
 */
export function readBusEnvironment(variables: Variables): BusConfiguration {
  refuseMisspelt(variables);
  const adapter = oneOf(variables, 'EVENT_BUS_ADAPTER', BUS_ADAPTERS);
  return {
    adapter,
    dataDir: text(variables, 'EVENT_BUS_DATA_DIR'),
    memory: {
      maxHistorySize: whole(variables, 'EVENT_BUS_MEMORY_MAX_HISTORY', 0),
      persistToDisk: flag(variables, 'EVENT_BUS_MEMORY_PERSIST'),
    },
    defaultSubscriptionOptions: {
      maxRetries: whole(variables, 'EVENT_BUS_DEFAULT_MAX_RETRIES', 0, 1_000),
      autoAck: flag(variables, 'EVENT_BUS_DEFAULT_AUTO_ACK'),
      useDLQ: flag(variables, 'EVENT_BUS_DEFAULT_USE_DLQ'),
    },
  };
}

/** The environment of the adapter of Redis. A URL says everything at once, and wins. */
export function readRedisEnvironment(variables: Variables): RedisConfiguration {
  const url = text(variables, 'EVENT_BUS_REDIS_URL') ?? text(variables, 'REDIS_URL');
  const keyPrefix = text(variables, 'EVENT_BUS_REDIS_KEY_PREFIX');
  if (url !== undefined) return { url, keyPrefix };
  return {
    keyPrefix,
    host: text(variables, 'REDIS_HOST') ?? 'localhost',
    port: whole(variables, 'REDIS_PORT', 1, 65_535) ?? 6379,
    password: text(variables, 'REDIS_PASSWORD'),
    db: whole(variables, 'REDIS_DB', 0) ?? 0,
    tls: flag(variables, 'REDIS_TLS') ?? false,
  };
}

export function readKafkaEnvironment(variables: Variables): KafkaConfiguration {
  const mechanism = oneOf(variables, 'KAFKA_SASL_MECHANISM', SASL_MECHANISMS);
  const username = text(variables, 'KAFKA_SASL_USERNAME');
  const password = text(variables, 'KAFKA_SASL_PASSWORD');
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    const absent = username === undefined ? 'KAFKA_SASL_USERNAME' : 'KAFKA_SASL_PASSWORD';
    throw wrong(absent, 'goes with KAFKA_SASL_MECHANISM');
  }
  return {
    brokers: (text(variables, 'KAFKA_BROKERS') ?? 'localhost:9092').split(',').map((broker) => broker.trim()),
    clientId: text(variables, 'KAFKA_CLIENT_ID') ?? 'event-bus',
    ssl: flag(variables, 'KAFKA_SSL') ?? false,
    connectionTimeout: whole(variables, 'KAFKA_CONNECTION_TIMEOUT', 1) ?? 30_000,
    requestTimeout: whole(variables, 'KAFKA_REQUEST_TIMEOUT', 1) ?? 30_000,
    sasl: mechanism === undefined ? undefined : { mechanism, username: username!, password: password! },
  };
}

function refuseMisspelt(variables: Variables): void {
  for (const name of Object.keys(variables)) {
    if (BUS_VARIABLES.includes(name) || !OUR_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    throw wrong(name, `is not one of ${BUS_VARIABLES.join(', ')}`);
  }
}

function text(variables: Variables, name: string): string | undefined {
  const given = variables[name]?.trim();
  return given === '' ? undefined : given;
}

function oneOf<const Word extends string>(
  variables: Variables,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const given = text(variables, name)?.toLowerCase();
  const found = words.find((word) => word === given);
  if (given !== undefined && found === undefined) throw wrong(name, `must be one of ${words.join(', ')}`);
  return found;
}

function flag(variables: Variables, name: string): boolean | undefined {
  const given = text(variables, name)?.toLowerCase();
  if (given === undefined) return undefined;
  if (given === 'true' || given === '1') return true;
  if (given === 'false' || given === '0') return false;
  throw wrong(name, 'must be true or false');
}

function whole(variables: Variables, name: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const given = text(variables, name);
  if (given === undefined) return undefined;
  const value = /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw wrong(
    name,
    max === Number.MAX_SAFE_INTEGER
      ? `must be a whole number from ${min} on`
      : `must be a whole number from ${min} to ${max}`,
  );
}

function wrong(name: string, words: string): EventManagerError {
  return new EventManagerError('invalid_setting', `The variable ${name} ${words}.`, {
    setting: name,
    from: 'environment',
  });
}
