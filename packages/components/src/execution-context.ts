import type { AnyFunction, ComponentEvents, ContextFields, FlowFields } from './component-events.ts';

/** Where a context finds the event system: `events` is absent while events are off. */
export interface EventsSource {
  readonly events: ComponentEvents | undefined;
}

/**
 * Where components run. One that was made by `new` has no events: what it wraps is the component itself, so that nothing at all
 * is executed for events. One of a registry with events looks at one field in each call, and calls the component if it is empty.
 */
export class ExecutionContext {
  readonly fields: ContextFields;
  readonly #source: EventsSource | undefined;

  constructor(fields: ContextFields = {}, source?: EventsSource) {
    this.fields = fields;
    this.#source = source;
  }

  /**
   * A function that does the same as the component and tells of it: `<kind>.started`, and `<kind>.completed` or `<kind>.failed`
   * with `durationMs`. A promise, generator or stream that it answers with is observed to its end.
   */
  observe<Component extends AnyFunction>(kind: string, name: string, component: Component): Component {
    // Also while events are off: or else it would be found when somebody switches them on.
    if (typeof component !== 'function')
      throw new TypeError(`What is observed is a name and a function; ${String(name)} has none.`);
    const source = this.#source;
    if (source === undefined) return component;
    const call = { kind, name, fields: this.fields };
    function observed(this: unknown, ...given: unknown[]): unknown {
      const { events } = source!;
      return events === undefined ? component.apply(this, given) : events.observe(call, component, this, given);
    }
    const { name: own, length } = component;
    Object.defineProperties(observed, { name: { value: own }, length: { value: length } });
    // What a library put on the function (a description, a schema) is found on what stands for it, too.
    return Object.setPrototypeOf(observed, component) as Component;
  }

  wrapAgent<Component extends AnyFunction>(name: string, agent: Component): Component {
    return this.observe('agent', name, agent);
  }

  wrapTool<Component extends AnyFunction>(name: string, tool: Component): Component {
    return this.observe('tool', name, tool);
  }

  wrapWorkflow<Component extends AnyFunction>(name: string, workflow: Component): Component {
    return this.observe('workflow', name, workflow);
  }

  wrapStep<Component extends AnyFunction>(name: string, step: Component): Component {
    return this.observe('workflow.step', name, step);
  }

  wrapHook<Component extends AnyFunction>(name: string, hook: Component): Component {
    return this.observe('hook', name, hook);
  }

  /** An event of the program's own, such as `security.login`. False when events are off, or it is not wanted or was refused. */
  emit(type: string, data: Readonly<Record<string, unknown>> = {}): boolean {
    return this.#source?.events?.emit(type, data, this.fields) ?? false;
  }

  /** `<kind>.state`: emitted with `emit_state_events`. */
  emitState(kind: string, data: Readonly<Record<string, unknown>>): boolean {
    return this.emit(`${kind}.state`, data);
  }

  /** `<kind>.debug`: emitted with `emit_debug_events`. */
  emitDebug(kind: string, data: Readonly<Record<string, unknown>>): boolean {
    return this.emit(`${kind}.debug`, data);
  }

  /** To be handed on, for example to `bus.publish`: the flow of the component that runs now. */
  get flow(): FlowFields {
    return this.#source?.events?.flow(this.fields) ?? {};
  }
}
