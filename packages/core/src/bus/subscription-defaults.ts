import type { EventBusAdapter } from '../contracts/adapter.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';

/** What a subscription of the bus is that says nothing about it. */
export interface SubscriptionDefaults {
  /** Retries after the first attempt. */
  readonly maxRetries: number;
  /** `false`: an event is settled by `ack` or `nack` of the handler's context, not by the handler's return. */
  readonly autoAck: boolean;
  /** Tells of each dead letter on a topic, where the subscription has one. The dead letter itself is kept in any case. */
  readonly useDLQ: boolean;
}

/** The same as it is handed in. */
export type SubscriptionDefaultsIn = {
  readonly [Name in keyof SubscriptionDefaults]?: SubscriptionDefaults[Name] | undefined;
};

export const STANDARD_DEFAULTS: SubscriptionDefaults = Object.freeze({ maxRetries: 3, autoAck: true, useDLQ: false });

/** Throws TypeError for a name or a value that cannot be meant. */
export function readSubscriptionDefaults(given: SubscriptionDefaultsIn, what: string): Partial<SubscriptionDefaults> {
  refuseUnknownOptions(given, Object.keys(STANDARD_DEFAULTS), what);
  const { maxRetries, autoAck, useDLQ } = given;
  if (maxRetries !== undefined && !(Number.isInteger(maxRetries) && maxRetries >= 0)) {
    throw new TypeError(`${what}.maxRetries is a whole number from 0 on.`);
  }
  for (const [name, value] of Object.entries({ autoAck, useDLQ })) {
    if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${what}.${name} is true or false.`);
  }
  return {
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(autoAck === undefined ? {} : { autoAck }),
    ...(useDLQ === undefined ? {} : { useDLQ }),
  };
}

/** An adapter is made by a configuration that also says these, and handed to a bus that was not told: it is found again here. */
const BY_ADAPTER = new WeakMap<EventBusAdapter, Partial<SubscriptionDefaults>>();

export function keepDefaults(adapter: EventBusAdapter, defaults: Partial<SubscriptionDefaults>): void {
  BY_ADAPTER.set(adapter, defaults);
}

export function defaultsOfAdapter(adapter: EventBusAdapter): Partial<SubscriptionDefaults> {
  return BY_ADAPTER.get(adapter) ?? {};
}
