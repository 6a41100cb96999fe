import { EventBus, type EventBusOptions, InMemoryAdapter, type InMemoryOptions } from '@event-manager/core';
import { SeededChance, simulatedRuntime, VirtualTime } from '@event-manager/testing';

/** A bus in memory whose time is driven by the test. */
export function virtualBus({
  maxHistorySize,
  ...options
}: EventBusOptions & Pick<InMemoryOptions, 'maxHistorySize'> = {}) {
  const time = new VirtualTime();
  const runtime = simulatedRuntime({ clock: time, timers: time, chance: new SeededChance(1) });
  const adapter = new InMemoryAdapter({ maxHistorySize, runtime });
  return { bus: new EventBus({ ...options, adapter, runtime }), adapter, time };
}
