import type { EventTypeOf } from './event-map.ts';
import type { TypesOn } from './types-on.ts';

/** What a listener is called with: the payload, and the name that tells which of a union it is. */
export type EmittedArguments<Events, Name extends string> = string extends keyof Events
  ? [payload: Events[keyof Events], name: string]
  : { [Each in TypesOn<EventTypeOf<Events>, Name>]: [payload: Events[Each], name: Each] }[TypesOn<
      EventTypeOf<Events>,
      Name
    >];

/** The same as one value. */
export type Emitted<Events, Name extends string> = string extends keyof Events
  ? { readonly name: string; readonly payload: Events[keyof Events] }
  : { [Each in TypesOn<EventTypeOf<Events>, Name>]: { readonly name: Each; readonly payload: Events[Each] } }[TypesOn<
      EventTypeOf<Events>,
      Name
    >];

export type Listener<Events, Name extends string = string> = (...given: EmittedArguments<Events, Name>) => unknown;

/** A payload that may be `undefined` may be left out. */
export type EmittedPayload<Payload> = undefined extends Payload ? [payload?: Payload] : [payload: Payload];
