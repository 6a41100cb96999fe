import {
  type ComponentEvent,
  ComponentRegistry,
  type EventsConfig,
  type SwitchOptions,
} from '@event-manager/components';
import { TestEventCollector } from '@event-manager/testing';
import { onTestFinished } from 'vitest';

export interface Collecting {
  readonly registry: ComponentRegistry;
  readonly collector: TestEventCollector<ComponentEvent>;
  /** Everything emitted so far, once it has left. */
  emitted(): Promise<readonly ComponentEvent[]>;
  types(): Promise<readonly string[]>;
}

/** A registry whose bus is a collector, with nothing of the environment of the tests. It is closed at the end of the test. */
export async function collecting(config: EventsConfig = {}, options: SwitchOptions = {}): Promise<Collecting> {
  const collector = new TestEventCollector<ComponentEvent>();
  const bus = { publish: collector.handler };
  const registry = await ComponentRegistry.withEventBus(
    bus,
    { enabled: true, ...config },
    { environment: {}, ...options },
  );
  onTestFinished(async () => void (await registry.close()));
  const emitted = async () => {
    await registry.flush();
    return collector.events;
  };
  return { registry, collector, emitted, types: async () => (await emitted()).map(({ type }) => type) };
}
