import type { InMemoryOptions } from './in-memory-adapter.ts';
import type { SubscriptionDefaultsIn } from './subscription-defaults.ts';

/** Where a bus keeps its events. */
export const BUS_ADAPTERS = ['memory', 'journal', 'redis', 'kafka'] as const;
export type BusAdapterName = (typeof BUS_ADAPTERS)[number];

/** What the adapter of Redis is made of; the package has further options of its own. */
export interface RedisConfiguration {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly password?: string | undefined;
  readonly db?: number | undefined;
  readonly tls?: boolean | undefined;
  /** Instead of all of these. */
  readonly url?: string | undefined;
  /** What every name in Redis begins with; processes that share a bus give the same. */
  readonly keyPrefix?: string | undefined;
  readonly [option: string]: unknown;
}

export interface KafkaConfiguration {
  readonly brokers?: readonly string[] | undefined;
  readonly clientId?: string | undefined;
  readonly ssl?: boolean | undefined;
  /** Milliseconds. */
  readonly connectionTimeout?: number | undefined;
  /** Milliseconds. */
  readonly requestTimeout?: number | undefined;
  readonly sasl?:
    | { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
    | undefined;
}

export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** A bus in plain values. What it does not say is said by the environment, or else has its default. */
export interface BusConfiguration {
  readonly adapter?: BusAdapterName | undefined;
  readonly memory?: Pick<InMemoryOptions, 'maxHistorySize' | 'persistToDisk'> | undefined;
  /** Folder of the journal, also of the one beneath a memory that persists. */
  readonly dataDir?: string | undefined;
  readonly redis?: RedisConfiguration | undefined;
  readonly kafka?: KafkaConfiguration | undefined;
  readonly defaultSubscriptionOptions?: SubscriptionDefaultsIn | undefined;
}

/** Complete by its type: a field that is missing here does not compile. */
const NAMES: { readonly [Name in keyof Required<BusConfiguration>]: true } = {
  adapter: true,
  memory: true,
  dataDir: true,
  redis: true,
  kafka: true,
  defaultSubscriptionOptions: true,
};

export const CONFIGURATION_NAMES: readonly string[] = Object.keys(NAMES);
