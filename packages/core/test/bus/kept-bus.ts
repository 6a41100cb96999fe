import { EventBus, type EventBusOptions } from '@event-manager/core';
import { onTestFinished } from 'vitest';

/** A bus that is closed when the test has finished. */
export function keptBus(options: EventBusOptions = {}): EventBus {
  const bus = new EventBus(options);
  onTestFinished(() => bus.close());
  return bus;
}
