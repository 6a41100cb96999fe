/** Events of the components of a program: off, and not even loaded, until somebody switches them on. */
export type {
  ComponentBus,
  ComponentEvent,
  ContextFields,
  EventsReport,
  FlowFields,
} from './component-events.ts';
export { type CloseAnswer, ComponentRegistry, type EventsStatus, type SwitchOptions } from './component-registry.ts';
export type { EventsConfig, EventsConfiguration, ExportConfiguration } from './configuration/events-configuration.ts';
export { ExecutionContext } from './execution-context.ts';
export type { EventCounts } from './system/event-counter.ts';
