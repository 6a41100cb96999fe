import type { Frame, Peer } from './socket-stand-in.ts';

interface Wanted {
  readonly topic: string;
  readonly name?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What a service makes of a request to subscribe; on every connection an unnamed one has another id. */
export function described({ subscription }: Frame, peer: Peer): { readonly id: string } & Record<string, unknown> {
  const { topic, name, options } = subscription as Wanted;
  return {
    id: name ?? `unnamed-${peer.number}`,
    topic,
    ...(name === undefined ? {} : { name }),
    connectionType: 'socket',
    options: {
      batchSize: 1,
      maxConcurrency: 32,
      timeoutMs: 30_000,
      inFlightMax: 1_000,
      startFrom: 'latest',
      ...options,
    },
    state: 'active',
    createdAt: '2026-11-20T08:00:00.000Z',
    updatedAt: '2026-11-20T08:00:00.000Z',
    status: {},
  };
}

/** Answers what has to be answered for subscriptions to come and go. */
export function answerSubscribing(frame: Frame, peer: Peer): void {
  const { ref } = frame;
  if (frame.type === 'subscribe') peer.send({ type: 'subscribed', ref, subscription: described(frame, peer) });
  if (frame.type === 'unsubscribe') peer.send({ type: 'unsubscribed', ref });
  if (frame.type === 'detach') peer.send({ type: 'detached', ref });
}

/** One event owed to a subscription. */
export function delivery(subscription: string, number: number, id: string, attempt = 1): object {
  const event = { id, type: 't', source: 's', timestamp: '2026-11-20T08:00:00.000Z', metadata: {}, payload: {} };
  return { type: 'delivery', subscription, deliveries: [{ delivery: number, attempt, cursor: `c${number}`, event }] };
}
