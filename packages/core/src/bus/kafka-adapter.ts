import type { EventBusAdapter } from '../contracts/adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { KafkaConfiguration } from './bus-configuration.ts';

export function kafkaRefusal(details: Readonly<Record<string, string>> = {}): EventManagerError {
  const words = `There is no adapter for Kafka yet; EVENT_BUS_ADAPTER takes memory, journal and redis.`;
  return new EventManagerError('not_supported', words, { ...details, adapter: 'kafka' });
}

/**
 * The name under which programs look for an adapter of Kafka: they compile, and hear of it when they make one and not when they
 * publish. Throws `not_supported`.
 */
export const KafkaAdapter = class KafkaAdapter {
  constructor() {
    throw kafkaRefusal();
  }
} as unknown as new (
  options?: KafkaConfiguration,
) => EventBusAdapter & { initialize(): Promise<void> };
