import { isStandardSchema, type PayloadOf, type StandardSchema } from './standard-schema.ts';

type Schemas = { readonly [type: string]: StandardSchema };

/** The payloads of a set of schemas: `{type: payload}`. */
export type EventsOf<Given extends Schemas> = { readonly [Type in keyof Given]: PayloadOf<Given[Type]> };

/** Event types with the schemas of their payloads. The type parameter is what `EventManager` is typed by. */
export interface EventDefinitions<Events> {
  readonly schemas: { readonly [Type in keyof Events]: StandardSchema<Events[Type], unknown> };
}

/**
 * Gathers the schemas of event types, from any library that speaks Standard Schema. Given to an event manager as `events` it
 * types `publish` and handlers, and payloads have to fit: those of events of a type, on whatever topic, and every one on the topic
 * that a type is the name of.
 */
export function defineEvents<const Given extends Schemas>(schemas: Given): EventDefinitions<EventsOf<Given>> {
  for (const [type, schema] of Object.entries(schemas)) {
    if (!isStandardSchema(schema)) throw new TypeError(`The schema of ${type} does not speak Standard Schema.`);
  }
  return { schemas: schemas as unknown as EventDefinitions<EventsOf<Given>>['schemas'] };
}
