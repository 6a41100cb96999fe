export type { ClientOptions, ConnectionChange } from './client-options.ts';
export { EventManagerClient } from './event-manager-client.ts';
