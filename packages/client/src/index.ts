export { defineEvents, EventManagerError, isEventManagerError } from '@event-manager/core/portable';
export type { ClientOptions, ConnectionChange } from './client-options.ts';
export { EventManagerClient } from './event-manager-client.ts';
