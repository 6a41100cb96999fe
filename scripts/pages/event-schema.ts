import { DEFAULT_LIMITS } from '@event-manager/core';
import { eventSchemas } from '../../packages/server/src/protocols/http/schemas/event-schemas.ts';

interface ObjectSchema {
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
}

interface Stored {
  readonly Event: ObjectSchema & { readonly properties: { readonly payload: object } };
  readonly EventMetadata: ObjectSchema;
}

const METADATA = { $ref: '#/$defs/EventMetadata' };
const TEXT = { type: 'string' };

/** The schema that core ships: events as they are stored, from the OpenAPI document, and as handlers of the bus see them. */
export function eventSchema(): string {
  const { Event, EventMetadata } = eventSchemas(DEFAULT_LIMITS) as unknown as Stored;
  const event = { ...Event, properties: { ...Event.properties, metadata: METADATA } };
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:event-manager:event',
    title: 'Event',
    $ref: '#/$defs/Event',
    $defs: {
      Event: event,
      EventMetadata: { ...EventMetadata, description: 'Further keys are kept as they are.' },
      BusEvent: extended(
        event,
        { data: { ...event.properties.payload, description: 'The same as `payload`.' } },
        { metadata: { $ref: '#/$defs/BusEventMetadata' } },
        'An event as JSON, as handlers of an `EventBus` get it.',
      ),
      BusEventMetadata: extended(
        EventMetadata,
        { eventId: { type: 'string', format: 'uuid', description: 'The same as `id` of the event.' } },
        {
          correlationId: { ...TEXT, description: 'The same as `correlationId` of the event.' },
          failureReason: { ...TEXT, description: 'On a dead letter topic: why the delivery was given up.' },
        },
        'Further keys are kept as they are.',
      ),
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function extended(
  schema: ObjectSchema,
  required: Readonly<Record<string, object>>,
  others: Readonly<Record<string, object>>,
  description: string,
) {
  return {
    ...schema,
    required: [...schema.required, ...Object.keys(required)],
    properties: { ...schema.properties, ...required, ...others },
    description,
  };
}
