import { createEventFactory, type EventFactoryOf } from '@event-manager/core';
import { TASK_EVENTS } from './task-events.ts';

/** `EventFactory.createTaskCreated(task, 'ann')`: a function for each of the ten types. */
export const EventFactory: EventFactoryOf<typeof TASK_EVENTS> = createEventFactory(TASK_EVENTS);

/** An event of a task that is ready to be published. */
export type TaskEvent = ReturnType<(typeof EventFactory)[keyof typeof EventFactory]>;
