import Type, { type TSchema } from 'typebox';
import { component } from './component.ts';
import { REPLAY_MARK } from './run-schemas.ts';

const json = (schema: TSchema) => ({ 'application/json': { schema } });
const header = (name: string, description: string, required: boolean, schema: TSchema = Type.String()) => ({
  name,
  in: 'header',
  description,
  required,
  schema,
});

/** What the endpoint of a subscription is sent, and what its answer means: a webhook of OpenAPI 3.1. */
export const DELIVERY = {
  delivery: {
    post: {
      operationId: 'deliver',
      tags: ['Webhooks'],
      summary: 'A delivery to the endpoint of a subscription',
      description:
        'One event, or with a `batchSize` above 1 always `{"events": […]}`. At least once: the same `webhook-id` may come again.',
      parameters: [
        header('webhook-id', "The event's id, the same at every attempt; of a batch named after the ids in it.", true),
        header('webhook-timestamp', 'When this attempt was made, seconds since 1970.', true),
        header('webhook-signature', 'With a secret: `v1,` and base64 of HMAC-SHA256 (Standard Webhooks).', false),
        header('event-manager-attempt', '1 for the first, only grows.', true, Type.Integer({ minimum: 1 })),
        header('event-manager-subscription', 'Id of the subscription.', true),
        header('event-manager-replay', 'Of a replayed event: id of the run.', false),
      ],
      requestBody: {
        required: true,
        content: json(
          Type.Union([
            component('Event'),
            Type.Object({ replay: Type.Optional(REPLAY_MARK), events: Type.Array(component('Event')) }),
          ]),
        ),
      },
      responses: {
        '2XX': { description: 'Delivered.' },
        '410': { description: 'The receiver is gone: a dead letter, and the subscription is stopped.' },
        default: {
          description: 'Tried again by the retry policy; after `429`, `502`, `503`, `504` not before `Retry-After`.',
        },
      },
    },
  },
};
