/**
 * The event system of one program, from the first switching on to the end.
 *
 *     component ─▶ wanted? ▸ rate? ▸ room? ─▶ queue ═▶ sanitize ▸ publish, export
 *                  the caller waits, a few µs     later, a few events in a turn
 *
 * A configuration that is in force is a *route*. Every event remembers the route by which it was accepted, and in the queue a
 * route is followed by its end; so a switch takes effect at once for what is new, and what was accepted before goes where it
 * would have gone. Invariants: at most `buffer_size` events wait, whatever the receivers do; each accepted event is published
 * and exported, or counted as failed; nothing is accepted without a route. A crash loses what waits: this is telemetry, and a
 * bus that stores durably has what was handed to it.
 */
import { createEventIdSource, type Runtime, systemRuntime } from '@event-manager/core';
import type { ResolveAddresses } from '@event-manager/webhook';
import type {
  AnyFunction,
  ComponentBus,
  ComponentEvents,
  ContextFields,
  EventsReport,
  FlowFields,
  ObservedCall,
} from '../component-events.ts';
import type { CloseAnswer } from '../component-registry.ts';
import type { EventsConfiguration } from '../configuration/events-configuration.ts';
import type { SettledEvents } from '../configuration/settle-events.ts';
import { ExportPool } from '../export/export-pool.ts';
import { ComponentRun } from '../observe/component-run.ts';
import { flowOf } from '../observe/flow.ts';
import { observeResult } from '../observe/observe-result.ts';
import { captureMeasured } from '../sanitize/capture.ts';
import { EventCounter, type EventCounts } from './event-counter.ts';
import { EventDrain } from './event-drain.ts';
import { HealthPort } from './health-port.ts';
import { RateWindow } from './rate-window.ts';
import { Route, STATS } from './route.ts';
import { StatsLines } from './stats-lines.ts';

export interface SystemOptions {
  readonly bus?: ComponentBus | undefined;
  readonly runtime?: Runtime | undefined;
  /** How webhooks find addresses; asked of DNS when absent. */
  readonly resolve?: ResolveAddresses | undefined;
  /** Where `stdout` leads; the standard output when absent. */
  readonly stdout?: number | undefined;
  readonly report: (report: EventsReport) => void;
}

/** An event that a component hands in. */
export interface Emission {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly fields: ContextFields;
  readonly flow: FlowFields;
  /** Of its texts, where they may be long. */
  readonly characters?: number;
}

/** On the average of all that wait; most have far fewer. */
const CHARACTERS_EACH_MAX = 2_048;

export class EventSystem implements ComponentEvents {
  readonly runtime: Runtime;
  readonly #nextId: () => string;
  readonly #counter: EventCounter;
  readonly #drain: EventDrain;
  readonly #pool: ExportPool;
  readonly #rate: RateWindow;
  readonly #stats: StatsLines;
  readonly #health: HealthPort;
  #route: Route | undefined;
  #shutdownTimeoutMs = 0;

  constructor({ bus, runtime = systemRuntime, resolve, stdout, report }: SystemOptions) {
    this.runtime = runtime;
    this.#nextId = createEventIdSource(runtime);
    this.#counter = new EventCounter(runtime, report);
    this.#pool = new ExportPool({ runtime, counter: this.#counter, report, resolve, stdout });
    this.#drain = new EventDrain({ runtime, bus, counter: this.#counter });
    this.#rate = new RateWindow(runtime.clock);
    this.#stats = new StatsLines(runtime, () => this.#emitStats());
    this.#health = new HealthPort({ report, status: () => ({ enabled: this.#route !== undefined, ...this.counts() }) });
  }

  /** What has to be loaded before the configuration can be applied; `undefined` when nothing has. */
  prepare(configuration: EventsConfiguration): Promise<void> | undefined {
    return this.#pool.prepare(configuration.exports);
  }

  /** From now on events go by this configuration. Throws when it cannot be, and then nothing changed. */
  apply({ configuration, winners }: SettledEvents): ComponentEvents {
    const route = new Route(configuration, winners, this.#pool);
    this.stop();
    this.#route = route;
    this.#shutdownTimeoutMs = configuration.shutdownTimeoutMs;
    this.#rate.limitTo(configuration.maxEventsPerSecond);
    this.#stats.every(configuration.statsIntervalMs);
    this.#health.follow(configuration.health);
    return this;
  }

  /** Nothing is accepted any more. What was accepted goes its way. */
  stop(): void {
    if (this.#route) this.#drain.end(this.#route);
    this.#route = undefined;
    this.#stats.every(0);
    this.#health.follow(undefined);
  }

  observe(call: ObservedCall, component: AnyFunction, self: unknown, given: unknown[]): unknown {
    const run = this.#begin(call, given);
    if (run === undefined) return component.apply(self, given);
    let result: unknown;
    try {
      result = run.enter(() => component.apply(self, given));
    } catch (error) {
      run.failed(error);
      throw error;
    }
    return observeResult(result, run);
  }

  emit(type: string, data: unknown, fields: ContextFields): boolean {
    const route = this.#route;
    if (route === undefined) return false;
    try {
      if (!route.wants(type)) return false;
      const { captured, characters } = captureMeasured(data);
      const taken = { data: captured as Emission['data'], characters };
      return this.accept({ type, ...taken, fields, flow: flowOf(fields) }) !== undefined;
    } catch {
      this.#counter.failed('internal');
      return false;
    }
  }

  flow(fields: ContextFields): FlowFields {
    return flowOf(fields);
  }

  /** The id of the event, when it was accepted. Its data must not change afterwards. */
  accept({ type, data, fields, flow, characters = 0 }: Emission): string | undefined {
    const route = this.#route;
    if (route === undefined || !route.wants(type)) return undefined;
    if (!this.#rate.takes()) {
      this.#counter.refused('rate');
      return undefined;
    }
    const { bufferSize } = route.configuration;
    if (this.#drain.size >= bufferSize || this.#drain.characters + characters > bufferSize * CHARACTERS_EACH_MAX) {
      this.#counter.refused('buffer');
      return undefined;
    }
    const id = this.#nextId();
    const { correlationId = id, causationId } = flow;
    this.#counter.accepted();
    this.#drain.add({
      route,
      id,
      type,
      atMs: this.runtime.clock.wallMs(),
      correlationId,
      causationId,
      fields,
      data,
      characters,
    });
    return id;
  }

  /** Names a flow whose first event is not told. */
  drawId(): string {
    return this.#nextId();
  }

  /** What a component hands over only with `include_user_data`. */
  get includesUserData(): boolean {
    return this.#route?.configuration.includeUserData === true;
  }

  wants(type: string): boolean {
    return this.#route?.wants(type) === true;
  }

  counts(): EventCounts {
    const now = { queued: this.#drain.size, perSecond: this.#rate.inLastSecond, exports: this.#pool.status() };
    return this.#counter.counts(now);
  }

  async flush(): Promise<void> {
    await this.#drain.idle();
    await this.#pool.flush();
  }

  /** The same, and no longer than closing may take. */
  async flushInTime(): Promise<boolean> {
    return this.#within(this.#shutdownTimeoutMs, () => this.flush());
  }

  async close(): Promise<CloseAnswer> {
    const timeoutMs = this.#shutdownTimeoutMs;
    this.stop();
    const flushed = await this.#within(timeoutMs, () => this.flush());
    const lost = this.#drain.abandon() + this.#pool.abandon();
    if (lost > 0) this.#counter.lost(lost);
    await this.#within(timeoutMs, () => Promise.all([this.#pool.close(), this.#health.close()]));
    return { flushed, lost };
  }

  /** A defect of this package must not become one of the component. */
  #begin(call: ObservedCall, given: unknown[]): ComponentRun | undefined {
    if (this.#route === undefined) return undefined;
    try {
      return new ComponentRun(this, call, given);
    } catch {
      this.#counter.failed('internal');
      return undefined;
    }
  }

  #emitStats(): void {
    const route = this.#route;
    if (route === undefined) return;
    const data = this.counts() as unknown as Readonly<Record<string, unknown>>;
    const atMs = this.runtime.clock.wallMs();
    const id = this.#nextId();
    this.#drain.add({
      route,
      id,
      type: STATS,
      atMs,
      correlationId: id,
      fields: {},
      data,
      characters: 0,
      isOfSystem: true,
    });
  }

  async #within(timeoutMs: number, work: () => Promise<unknown>): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.runtime.timers.after(timeoutMs, () => resolve(false), true);
    work().then(
      () => resolve(true),
      () => resolve(false),
    );
    const isDone = await promise;
    cancel();
    return isDone;
  }
}
