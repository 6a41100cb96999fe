import type { EventMetadataIn } from '../../event/event.ts';
import { createEventIdSource } from '../../event/event-id.ts';
import type { EventPriority, PriorityName } from '../../event/priority.ts';
import { type Runtime, systemRuntime } from '../../runtime/runtime.ts';

/** What a definition says of its event: the payload, and whatever else is known. Type, id and time are the factory's. */
export interface EventDraft<Payload> {
  readonly payload: Payload;
  readonly topic?: string | undefined;
  readonly source?: string | undefined;
  readonly version?: string | undefined;
  readonly priority?: EventPriority | PriorityName | undefined;
  readonly metadata?: EventMetadataIn | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
}

/** For each event type a function of what happened. */
export type EventFactoryDefinitions = {
  // biome-ignore lint/suspicious/noExplicitAny: each function has arguments of its own, and only `any` takes them all.
  readonly [type: string]: (...given: any[]) => EventDraft<unknown>;
};

/** An event as a factory makes it, ready for `bus.publish`. Publishing it again is recognised by its id. */
export type MadeEvent<Type extends string = string, Draft extends EventDraft<unknown> = EventDraft<unknown>> = Draft & {
  readonly id: string;
  readonly type: Type;
  readonly timestamp: Date;
  /** The same as `payload`. */
  readonly data: Draft['payload'];
};

type Pascal<Text extends string> = Text extends `${infer Head}${'_' | '.' | '-' | '/'}${infer Rest}`
  ? `${Capitalize<Head>}${Pascal<Rest>}`
  : Capitalize<Text>;

/** `createTaskCreated` for the type `task_created`, with the arguments of its definition. */
export type EventFactoryOf<Definitions extends EventFactoryDefinitions> = {
  readonly [Type in keyof Definitions & string as `create${Pascal<Type>}`]: (
    ...given: Parameters<Definitions[Type]>
  ) => MadeEvent<Type, ReturnType<Definitions[Type]>>;
};

/** The map of payloads that a bus is typed by: `new EventBus<EventsOfFactory<typeof definitions>>()`. */
export type EventsOfFactory<Definitions extends EventFactoryDefinitions> = {
  readonly [Type in keyof Definitions & string]: ReturnType<Definitions[Type]>['payload'];
};

/** Makes a factory of typed events. Throws TypeError for two types whose functions would have one name. */
export function createEventFactory<const Definitions extends EventFactoryDefinitions>(
  definitions: Definitions,
  { runtime = systemRuntime }: { readonly runtime?: Runtime | undefined } = {},
): EventFactoryOf<Definitions> {
  const nextId = createEventIdSource(runtime);
  const made = new Map<string, unknown>();
  for (const [type, define] of Object.entries(definitions)) {
    const name = `create${pascal(type)}`;
    if (made.has(name)) throw new TypeError(`Two types of the factory are made by ${name}; one of them is ${type}.`);
    made.set(name, (...given: unknown[]) => {
      const { payload, ...rest } = define(...given);
      return Object.freeze({
        id: nextId(),
        type,
        timestamp: new Date(runtime.clock.wallMs()),
        ...rest,
        payload,
        data: payload,
      });
    });
  }
  return Object.freeze(Object.fromEntries(made)) as EventFactoryOf<Definitions>;
}

function pascal(type: string): string {
  return type
    .split(/[_.\-/]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
