import type { EventManagerOptions } from './event-manager.ts';

/** Complete by its type: an option that is missing here does not compile. */
const NAMES: { readonly [Name in keyof Required<EventManagerOptions>]: true } = {
  adapter: true,
  principal: true,
  events: true,
  schemas: true,
  topicsStrict: true,
  limits: true,
  retryPolicy: true,
  webhookSink: true,
  webSocketSink: true,
  systemEvents: true,
  retention: true,
  deliveryLog: true,
  deadLetters: true,
  stallAfterMs: true,
  owner: true,
  runtime: true,
};

export const OPTION_NAMES: readonly string[] = Object.keys(NAMES);
