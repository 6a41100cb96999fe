// #region test
import { type ComponentEvent, ComponentRegistry } from '@event-manager/components';
import { assertEventEmitted, TestEventCollector } from '@event-manager/testing';

export async function testComponentEvents() {
  const collector = new TestEventCollector<ComponentEvent>();
  const bus = { publish: collector.handler };
  const registry = await ComponentRegistry.withEventBus(bus, { enabled: true });
  const greet = registry.createExecutionContext().observe('component', 'greeter', (name: string) => `hello ${name}`);

  greet('world');
  await registry.flush();

  assertEventEmitted(collector, 'component.started');
  assertEventEmitted(collector, 'component.completed');
}
// #endregion
