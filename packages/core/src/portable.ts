/** What runs everywhere, browsers included: nothing here imports a module of Node. The client is built on it. */
export * from './errors/codes.ts';
export * from './errors/event-manager-error.ts';
export type * from './event/event.ts';
export { createEventIdSource, parseEventId } from './event/event-id.ts';
export * from './event/priority.ts';
export { reviveEvent } from './event/revive-event.ts';
export { checkJson } from './json/check-json.ts';
export { jsonPointer } from './json/json-pointer.ts';
export type * from './json.ts';
export * from './limits.ts';
export type * from './runtime/chance.ts';
export type * from './runtime/clock.ts';
export type * from './runtime/runtime.ts';
export { webRuntime } from './runtime/web-runtime.ts';
