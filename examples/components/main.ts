// #region off
import { ExecutionContext } from '@event-manager/components';
import { answering } from './agent.ts';

const plain = answering(new ExecutionContext());
console.log(await plain('What are events?'));

// #endregion

// #region on
import { ComponentRegistry } from '@event-manager/components';
import { EventBus } from '@event-manager/core';

const bus = new EventBus();
const registry = await ComponentRegistry.withEventBus(
  bus,
  {},
  { environment: { LIBRARY_EVENTS_ENABLED: 'true' }, environmentPrefix: 'LIBRARY_EVENTS_' },
);
const answer = answering(registry.createExecutionContext({ source: 'library' }));
// #endregion

// #region listen
const ids = new Map<string, string>();
await bus.subscribe('#', (event) => {
  const of = `${event.type} ${event.payload['name']}`;
  ids.set(event.id, of);
  const cause = ids.get(event.causationId ?? '');
  console.log(cause === undefined ? of : `${of}, after ${cause}`);
});
await answer('What are events?');
await registry.flush();
await bus.settled();
// #endregion

// #region failure
await registry.configure({ filtering: { includeTypes: ['*.failed'] } });
await bus.subscribe('workflow.failed', (event) => console.log(JSON.stringify(event.payload['error'])));
await answer('What is love?').catch((error: Error) => console.log(`the caller gets: ${error.message}`));
await registry.flush();
await bus.settled();
// #endregion

// #region switched
await registry.disable();
await answer('What are topics?');
console.log(`off again: ${registry.status().counts?.accepted} events in all`);
// #endregion

// #region close
console.log(await registry.close());
await bus.close();
// #endregion
