import { env } from 'node:process';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import {
  BUS_ADAPTERS,
  type BusAdapterName,
  type BusConfiguration,
  CONFIGURATION_NAMES,
  type RedisConfiguration,
} from './bus-configuration.ts';
import { readBusEnvironment, readKafkaEnvironment, readRedisEnvironment, type Variables } from './bus-environment.ts';
import { InMemoryAdapter } from './in-memory-adapter.ts';
import { kafkaRefusal } from './kafka-adapter.ts';
import { loadJournal, loadRedis } from './load-adapter.ts';
import { keepDefaults, readSubscriptionDefaults } from './subscription-defaults.ts';

const ADDRESS = ['host', 'port', 'password', 'db', 'tls'] as const;

type Make = (configuration: BusConfiguration, variables: Variables) => Promise<EventBusAdapter>;

/** An adapter more is a line here. */
const MAKE: { readonly [Name in BusAdapterName]: Make } = {
  memory: async ({ memory, dataDir }) => new InMemoryAdapter({ ...memory, dataDir }),
  journal: async ({ dataDir }) => loadJournal({ dataDir }),
  redis: async ({ redis }, variables) => loadRedis(redisOptions(redis, variables)),
  kafka: async (_configuration, variables) => {
    readKafkaEnvironment(variables);
    throw kafkaRefusal({ setting: 'EVENT_BUS_ADAPTER' });
  },
};

/**
 * Makes the adapter that a configuration asks for; what it does not say is read from the environment. It is not opened: a bus
 * does that. A bus on it has the `defaultSubscriptionOptions` of the configuration. Throws `invalid_setting`, `not_supported`,
 * `adapter_not_installed`, and TypeError for what cannot be meant.
 */
export async function createEventBusAdapter(
  configuration: BusConfiguration = {},
  variables: Variables = env,
): Promise<EventBusAdapter> {
  refuseUnknownOptions(configuration, CONFIGURATION_NAMES, 'createEventBusAdapter');
  const read = readBusEnvironment(variables);
  const name = configuration.adapter ?? read.adapter ?? 'memory';
  const make = Object.hasOwn(MAKE, name) ? MAKE[name] : undefined;
  if (!make) throw new TypeError(`adapter is one of ${BUS_ADAPTERS.join(', ')}, not ${JSON.stringify(name)}.`);
  const whole = {
    ...configuration,
    dataDir: configuration.dataDir ?? read.dataDir,
    memory: over(read.memory, configuration.memory),
  };
  const given = readSubscriptionDefaults(configuration.defaultSubscriptionOptions ?? {}, 'defaultSubscriptionOptions');
  const defaults = readSubscriptionDefaults(over(read.defaultSubscriptionOptions, given), 'defaultSubscriptionOptions');
  const adapter = await make(whole, variables);
  keepDefaults(adapter, defaults);
  return adapter;
}

/** One address: a call that says a part of it means none that the environment has as a URL, and the other way round. */
function redisOptions(said: RedisConfiguration = {}, variables: Variables): RedisConfiguration {
  const read = readRedisEnvironment(variables);
  const isAddress = ADDRESS.some((name) => said[name] !== undefined);
  const isOther = said.url !== undefined || (read.url !== undefined && isAddress);
  return over<RedisConfiguration>(isOther ? { keyPrefix: read.keyPrefix } : read, said);
}

/** What the call says wins, where it says something. */
function over<Fields extends object>(below: Fields | undefined, above: Fields | undefined): Fields {
  const said = Object.entries(above ?? {}).filter(([, value]) => value !== undefined);
  return { ...below, ...Object.fromEntries(said) } as Fields;
}
