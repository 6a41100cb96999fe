import Type, { type TSchema } from 'typebox';
import { type Components, component } from './component.ts';
import { BODY_ERRORS, json, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import { cursorSchema, NEXT_CURSOR, wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const LIST_MAX = 1_000;
const KEY_CHARACTERS_MAX = 255;
const PATH = '^(?:payload|metadata)\\.[^.]+(?:\\.[^.]+)*$';
const BY_ID = { id: Type.String({ format: 'uuid', description: 'Id of a subscription.' }) };
const tag = 'Subscriptions';

/** In which order a subscription is delivered to, among its options. */
export function orderFields(): Readonly<Record<'order' | 'orderingKey' | 'onFailure', TSchema>> {
  return {
    order: Type.Optional(
      wordSchema(['none', 'topic', 'key'], {
        default: 'none',
        description: 'Events of one topic, or of one ordering key, come one after the other, also across retries.',
      }),
    ),
    orderingKey: Type.Optional(
      Type.String({
        pattern: PATH,
        maxLength: KEY_CHARACTERS_MAX,
        description:
          'Where an event has its key, which asks for `order: key`. Without it: `metadata.orderingKey`, else its topic.',
        examples: ['payload.customer.id'],
      }),
    ),
    onFailure: Type.Optional(
      wordSchema(['block', 'park', 'skip'], {
        default: 'block',
        description:
          'Where an order is kept: the key waits for the retries (`block`), and after a dead letter until it is released (`park`); or nothing is tried again and it goes on (`skip`).',
      }),
    ),
  };
}

/** As the options are shown; what is the default is not there. */
export const ORDER_OPTIONS: Readonly<Record<'order' | 'orderingKey' | 'onFailure', TSchema>> = {
  order: Type.Optional(wordSchema(['topic', 'key'])),
  orderingKey: Type.Optional(Type.String()),
  onFailure: Type.Optional(wordSchema(['park', 'skip'])),
};

/** In the status of an ordered subscription. */
export const KEY_COUNTS: Readonly<Record<'blockedKeys' | 'parkedKeys', TSchema>> = {
  blockedKeys: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Keys whose later events wait for a retry, or for their turn after one.' }),
  ),
  parkedKeys: Type.Optional(Type.Integer({ minimum: 0, description: 'Keys that somebody has to release.' })),
};

export const KEY_DOCUMENTS: RouteDocuments = {
  'GET /subscriptions/:id/keys': {
    operationId: 'listKeys',
    tag,
    summary: 'List the keys of an ordered subscription whose later events wait',
    path: BY_ID,
    query: {
      limit: Type.Optional(wholeSchema(1, LIST_MAX, { default: 100 })),
      cursor: Type.Optional(cursorSchema('keys')),
      state: Type.Optional(wordSchema(['blocked', 'parked'])),
    },
    answers: { 200: { description: 'A page of keys.', content: json(component('BlockedKeysPage')) } },
    errors: ['subscription_not_found', 'invalid_query', 'invalid_cursor'],
  },
  'POST /subscriptions/:id/keys/release': {
    operationId: 'releaseKey',
    tag,
    summary: 'Let the events behind the dead letter of a parked key go on',
    description: 'A key that is not parked stays as it is, so it may be repeated.',
    path: BY_ID,
    body: json(component('KeyRelease')),
    answers: { 200: { description: 'The key as it was.', content: json(component('BlockedKey')) } },
    errors: [
      'invalid_request',
      'subscription_not_found',
      'revision_conflict',
      'lease_lost',
      ...BODY_ERRORS,
      ...WRITE_ERRORS,
    ],
  },
  'POST /subscriptions/:id/keys/release-all': {
    operationId: 'releaseKeys',
    tag,
    summary: 'Let the events behind the dead letters of all parked keys go on',
    description:
      'A key that is parked again meanwhile stays so. When it fails some keys may go on already: repeat it for the others.',
    path: BY_ID,
    answers: { 200: { description: 'How many keys were parked.', content: json(component('ReleasedKeys')) } },
    errors: ['subscription_not_found', 'revision_conflict', 'lease_lost', ...WRITE_ERRORS],
  },
};

export const KEY_SCHEMAS: Components = {
  KeyRelease: Type.Object(
    { key: Type.String({ minLength: 1, maxLength: KEY_CHARACTERS_MAX }) },
    { ...CLOSED, examples: [{ key: 'customer-7' }] },
  ),
  BlockedKey: Type.Object(
    {
      key: Type.String(),
      state: wordSchema(['blocked', 'parked', 'free'], { description: '`free`: nothing of it waits.' }),
      waiting: Type.Integer({ minimum: 0, description: 'Later events of the key.' }),
      parkedAtMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' })),
      deadLetterId: Type.Optional(Type.String({ format: 'uuid', description: 'What it is parked for.' })),
    },
    CLOSED,
  ),
  ReleasedKeys: Type.Object(
    {
      released: Type.Integer({ minimum: 0, description: 'Keys that were parked.' }),
      waiting: Type.Integer({ minimum: 0, description: 'Events that waited in them.' }),
    },
    CLOSED,
  ),
  BlockedKeysPage: Type.Object({ data: Type.Array(component('BlockedKey')), nextCursor: NEXT_CURSOR }, CLOSED),
};
