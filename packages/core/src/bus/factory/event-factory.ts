import { createEventFactory, type EventFactoryOf, type EventsOfFactory } from './create-event-factory.ts';
import { TASK_EVENTS } from './task-events.ts';

/** The payloads of the events of tasks, by type. */
export type TaskEvents = EventsOfFactory<typeof TASK_EVENTS>;

/** Makes the ten events of tasks: `bus.publish(EventFactory.createTaskCreated(task, 'ann'))`. */
export const EventFactory: EventFactoryOf<typeof TASK_EVENTS> = /* @__PURE__ */ createEventFactory(TASK_EVENTS);
