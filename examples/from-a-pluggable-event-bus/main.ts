// A program that was written for a bus of facade and adapters, on this one.
// #region bus
import { createEventBusAdapter, EventBus, EventTopics } from '@event-manager/core';

const adapter = await createEventBusAdapter({
  adapter: 'memory',
  defaultSubscriptionOptions: { maxRetries: 5 },
});
await using bus = new EventBus(adapter, 'tracker');
// #endregion

// #region use
const correlationId = 'exec-456';
const subscriptionId = await bus.subscribe(EventTopics.ISSUE_EVENTS, async (event) => {
  if (event.type === 'issue.state.changed') console.log(event.payload, event.metadata.correlationId);
});
await bus.publish(
  EventTopics.ISSUE_EVENTS,
  'issue.state.changed',
  { issueId: '123', to: 'IN_PROGRESS' },
  { metadata: { correlationId, userId: 'user-789' } },
);
const flow = await bus.queryEventsByCorrelationId(correlationId);
console.log(flow.map(({ type }) => type));
await bus.unsubscribe(subscriptionId);
// #endregion

// #region kafka
try {
  await createEventBusAdapter({ adapter: 'kafka', kafka: { brokers: ['localhost:9092'] } });
} catch (error) {
  console.log((error as Error).message);
}
// #endregion

// #region more
const { id } = (await bus.publish('issue.events', 'issue.created', { issueId: '124' })) as { id: string };
const explained = await bus.eventManager.listDeliveries(id);
console.log(explained.deliveries.length, 'deliveries: nobody was subscribed any more');
// #endregion
