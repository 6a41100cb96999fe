/** What a program says of everything that happens in one context. */
export interface ContextFields {
  /** Who emits; `components` when absent. */
  readonly source?: string | undefined;
  /** The flow that goes on here. Without it each outermost component begins one. */
  readonly correlationId?: string | undefined;
  /** The event that led here. */
  readonly causationId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Part of events only with `include_user_data`. */
  readonly userId?: string | undefined;
  /** Part of events only with `include_user_data`. */
  readonly sessionId?: string | undefined;
}

/** An event of a component as a bus gets it: secrets are gone from it. */
export interface ComponentEvent {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly source: string;
  readonly timestamp: string;
  readonly version: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly metadata: {
    readonly projectId?: string;
    readonly userId?: string;
    readonly sessionId?: string;
    readonly tags?: readonly string[];
  };
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Whatever takes events: an `EventBus`, an `EventManager`, or a collector of a test. What it answers, throws or rejects with stays here. */
export interface ComponentBus {
  publish(event: ComponentEvent): unknown;
}

/** What went wrong with events, or has no effect. It never reaches a component. */
export interface EventsReport {
  readonly code:
    | 'export_failed'
    | 'export_recovered'
    | 'publish_failed'
    | 'events_refused'
    | 'configuration_refused'
    | 'setting_shadowed'
    | 'file_readable_by_others'
    | 'health_unavailable'
    | 'closing_incomplete';
  readonly text: string;
}

/** Where the events of one component belong. */
export interface FlowFields {
  readonly correlationId?: string;
  readonly causationId?: string;
}

export interface ObservedCall {
  readonly kind: string;
  readonly name: string;
  readonly fields: ContextFields;
}

// biome-ignore lint/suspicious/noExplicitAny: nothing else stands for every function, whatever it takes.
export type AnyFunction = (...given: any[]) => unknown;

/** The event system as components see it, while events are on. Nothing here ever throws what is its own. */
export interface ComponentEvents {
  /** Calls the component and gives what it gives, or throws what it throws. */
  observe(call: ObservedCall, component: AnyFunction, self: unknown, given: unknown[]): unknown;
  /** False when the event was refused or is not wanted. */
  emit(type: string, data: unknown, fields: ContextFields): boolean;
  flow(fields: ContextFields): FlowFields;
}
