import type { ContextFields } from './component-events.ts';
import type { EventsConfig } from './configuration/events-configuration.ts';
import type { EventsStatus, EventsSwitch, SwitchOptions } from './events-switch.ts';
import { ExecutionContext } from './execution-context.ts';

export type { EventsStatus, SwitchOptions } from './events-switch.ts';

export interface CloseAnswer {
  /** False when the time was up: what was left is counted in `lost`. */
  readonly flushed: boolean;
  readonly lost: number;
}

/**
 * Gives components the contexts they run in. `new ComponentRegistry()` has no events and loads nothing. One that may have events
 * loads what reads settings, and the event system itself when events are switched on for the first time.
 */
export class ComponentRegistry implements AsyncDisposable {
  #switch: EventsSwitch | undefined;

  /**
   * Emits to this bus as the configuration says: what is said here beats the environment, that beats the file, and that the
   * defaults, by which events are off. A function is called for the bus when events are switched on first.
   */
  static withEventBus(
    bus: SwitchOptions['bus'],
    config: EventsConfig = {},
    options: Omit<SwitchOptions, 'bus' | 'config'> = {},
  ): Promise<ComponentRegistry> {
    return ComponentRegistry.configured({ ...options, bus, config });
  }

  /** The same without a bus, where exports are enough. Rejects with `invalid_setting`, naming the setting and its place. */
  static async configured(options: SwitchOptions = {}): Promise<ComponentRegistry> {
    const registry = new ComponentRegistry();
    const { EventsSwitch } = await import('./events-switch.ts');
    registry.#switch = await EventsSwitch.open(options);
    return registry;
  }

  /** With the fields of this context, or these. */
  createExecutionContext(base: ExecutionContext | ContextFields = {}): ExecutionContext {
    const fields = base instanceof ExecutionContext ? base.fields : base;
    return new ExecutionContext(fields, this.#switch);
  }

  /** Whether events are on. */
  get enabled(): boolean {
    return this.#switch?.events !== undefined;
  }

  enable(): Promise<void> {
    return this.configure({ enabled: true });
  }

  /** Nothing is emitted from this call on. Resolves when what was emitted before is where it belongs, or `shutdown_timeout_ms` later. */
  async disable(): Promise<void> {
    await this.configure({ enabled: false });
    await this.#switch?.flushInTime();
  }

  /**
   * Says something else; `undefined` takes back what was said before. Rejects with `invalid_setting`, and then everything is as it was. A
   * registry that was made without events has none to configure.
   */
  async configure(config: EventsConfig): Promise<void> {
    if (this.#switch === undefined) throw new TypeError('This registry has no events: make one by `withEventBus`.');
    await this.#switch.configure(config);
  }

  /** Reads environment and file again. */
  async reload(): Promise<void> {
    await this.#switch?.reload();
  }

  /** Resolves when everything emitted so far was published and exported, or was given up. */
  async flush(): Promise<void> {
    await this.#switch?.flush();
  }

  /** What is in force, who said it, and what was counted. */
  status(): EventsStatus {
    return this.#switch?.status() ?? { enabled: false, settings: [] };
  }

  /** Stops accepting, flushes, closes the exports and releases the rest, within `shutdown_timeout_ms`. Never rejects. */
  async close(): Promise<CloseAnswer> {
    return (await this.#switch?.close()) ?? { flushed: true, lost: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
