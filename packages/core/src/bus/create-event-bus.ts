import type { AnyBusEvents } from './bus-event.ts';
import type { EventBusOptions } from './bus-options.ts';
import { createEventBusAdapter } from './create-event-bus-adapter.ts';
import { EventBus } from './event-bus.ts';

/**
 * A bus as the environment asks for it (`EVENT_BUS_ADAPTER` and the like), opened: what is wrong with it is heard here. `name` is the
 * `source` of what it publishes. Throws what `createEventBusAdapter` and the adapter's `open` throw.
 */
export async function createEventBus<Events = AnyBusEvents>(
  name?: string,
  options: Omit<EventBusOptions<Events>, 'name'> = {},
): Promise<EventBus<Events>> {
  const adapter = options.adapter ?? (await createEventBusAdapter());
  const bus = new EventBus<Events>({ ...options, name, adapter });
  try {
    await bus.initialize();
  } catch (error) {
    // Nobody else has what closes it, and its folder would stay locked.
    await bus.close().catch(() => {});
    throw error;
  }
  return bus;
}
