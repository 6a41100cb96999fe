import type { SubscriptionDefinition } from '@event-manager/core';
import { sign } from '@event-manager/webhook';
import { PROTOCOL } from './protocol.ts';

/** What a receiver is told of the subscription that is behind a connection. */
export type Introduced = Pick<SubscriptionDefinition, 'id' | 'name' | 'subscriber' | 'topic'>;

/** The first frame, so that a receiver of several subscriptions can tell them apart. */
export function helloFrame({ id, name, subscriber, topic }: Introduced): string {
  return JSON.stringify({ type: 'hello', protocol: PROTOCOL, subscription: { id, name, subscriber, topic } });
}

export interface Handshake {
  readonly subscriptionId: string;
  /** Differs for each connection. */
  readonly connectionId: string;
  readonly timestampSeconds: number;
  readonly keys: readonly Uint8Array[];
}

/**
 * The headers of the request that asks for a connection, signed as Standard Webhooks 1.0 signs a body: here the body is the id
 * of the subscription, so that a receiver can refuse a stranger before it has a connection.
 */
export function handshakeHeaders(handshake: Handshake): Record<string, string> {
  const { subscriptionId, connectionId: id, timestampSeconds, keys } = handshake;
  const headers = { 'event-manager-subscription': subscriptionId };
  if (keys.length === 0) return headers;
  return { ...headers, ...sign({ id, timestampSeconds, body: Buffer.from(subscriptionId) }, keys) };
}
