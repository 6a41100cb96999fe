import type { Limits } from '@event-manager/core';
import Type, { type TSchema } from 'typebox';
import { endpointSchema, headersSchema, secretSchema } from './address-schemas.ts';
import { type Components, component, spelled } from './component.ts';
import { wholeSchema, wordSchema } from './text-schemas.ts';

const HOUR_MS = 3_600_000;
const TRIES_MAX = 1_000;
const BUFFER_MAX = 10_000;
const COUNT = Type.Integer({ minimum: 0 });
const CLOSED = { additionalProperties: false };

/** How a subscription is reached by a connection: in the request or among its options, not in both. */
export function wayFields(): Readonly<Record<'realtime' | 'fallbackWebhook', TSchema>> {
  return {
    realtime: Type.Optional(
      Type.Boolean({
        description: 'With an http endpoint: sockets that attach to its name come first, the endpoint is the fallback.',
      }),
    ),
    fallbackWebhook: Type.Optional(component('FallbackWebhook')),
  };
}

/** How a WebSocket is kept that the bus dials; only with a `ws:` or `wss:` endpoint. */
export function connectionFields(): Readonly<Record<string, TSchema>> {
  return {
    heartbeatMs: Type.Optional(
      wholeSchema(100, HOUR_MS, {
        default: 30_000,
        description: 'A ping goes out so often; who does not answer it is cut.',
        ...spelled('heartbeat', 'heartbeatInterval', 'heartbeatIntervalMs'),
      }),
    ),
    reconnectAttempts: Type.Optional(
      wholeSchema(0, TRIES_MAX, { default: 5, description: 'Tries that may fail before the fallback serves.' }),
    ),
    bufferSize: Type.Optional(
      wholeSchema(1, BUFFER_MAX, { default: 100, description: 'Deliveries under way or waiting for the connection.' }),
    ),
    compression: Type.Optional(Type.Boolean({ default: false, ...spelled('compressionEnabled') })),
  };
}

export function realtimeSchemas(limits: Limits): Components {
  const endpoint = endpointSchema(limits, ['http', 'https']);
  const object = Type.Object(
    { endpoint, secret: Type.Optional(secretSchema()), headers: Type.Optional(headersSchema()) },
    CLOSED,
  );
  return {
    FallbackWebhook: Type.Union([endpoint, object, Type.Literal(false)], {
      description: 'The webhook that serves while nobody is connected; `false` takes it away.',
    }),
    FallbackAddress: Type.Union([endpoint, object], {
      description: 'The webhook that serves while nobody is connected.',
    }),
  };
}

/** As a subscription is shown. */
export const CONNECTION = Type.Object(
  { heartbeatMs: COUNT, reconnectAttempts: COUNT, bufferSize: COUNT, compression: Type.Boolean() },
  { ...CLOSED, description: 'How the connection is kept that the bus dials.' },
);

export const FALLBACK = Type.Object(
  { endpoint: Type.String(), signed: Type.Boolean(), headerNames: Type.Array(Type.String()) },
  { ...CLOSED, description: 'The webhook that serves while nobody is connected.' },
);

export const REALTIME_STATE = Type.Object(
  {
    connected: Type.Boolean(),
    way: wordSchema(['realtime', 'fallback'], { description: 'The way that the next delivery takes.' }),
    switches: COUNT,
    lastError: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }, CLOSED)),
  },
  { ...CLOSED, description: 'How its receiver is reached, where that is a connection.' },
);
