import { EventBus } from './event-bus.ts';

/**
 * One bus for the whole process, in memory, for programs that pass none around. It opens nothing until it is used first, so
 * importing it costs an object.
 */
export const globalEventBus: EventBus = /* @__PURE__ */ new EventBus({
  enableMetrics: true,
  enablePersistence: false,
  maxListeners: 1_000,
});
