import {
  Engine,
  type EventBusAdapter,
  EventManagerError,
  type PlantedBug,
  type Runtime,
  type Sink,
  type SubscriptionDefinition,
} from '@event-manager/core';
import type { SeededChance, TimerScope, VirtualTime } from '@event-manager/testing';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

export interface ProcessOptions {
  readonly name: string;
  readonly plan: Plan;
  readonly world: World;
  readonly time: VirtualTime;
  readonly chance: SeededChance;
  readonly planted: ReadonlySet<PlantedBug>;
  readonly sinkOf: (definition: SubscriptionDefinition, process: SimulatedProcess) => Sink;
  readonly onFailpoint: (process: SimulatedProcess, name: string) => void;
}

/** One process with an engine in it. After `die` nothing it does has an effect outside, whatever its code still tries. */
export class SimulatedProcess {
  readonly name: string;
  readonly died: Promise<void>;
  readonly adapter: EventBusAdapter;
  readonly #options: ProcessOptions;
  readonly #timers: TimerScope;
  readonly #runtime: Runtime;
  readonly #end: () => void;
  #tellDied: () => void = () => {};
  #alive = true;
  #awakes: Promise<void> | undefined;
  readonly #still: { readonly fromMs: number; readonly toMs: number }[] = [];
  engine: Engine | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.died = new Promise((resolve) => {
      this.#tellDied = resolve;
    });
    this.#timers = options.time.scope();
    this.#runtime = {
      clock: options.time,
      timers: this.#timers,
      chance: options.chance,
      planted: options.planted,
      failpoint: (name) => {
        if (this.#alive) options.onFailpoint(this, name);
      },
    };
    const { adapter, die } = options.world.connect(this.#runtime, this.#timers);
    this.adapter = adapter;
    this.#end = die;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Opens the engine; resolves false when the process died or had to give up meanwhile. */
  async start(): Promise<boolean> {
    const { plan, sinkOf } = this.#options;
    const opening = Engine.open({
      adapter: this.adapter,
      runtime: this.#runtime,
      owner: this.name,
      limits: plan.limits,
      webhookSink: (definition) => sinkOf(definition, this),
      // They stand between the others in the log, and nobody is owed them.
      systemEvents: true,
    });
    const engine = await Promise.race([opening.catch((error: unknown) => error), this.died]);
    if (!(engine instanceof Engine)) {
      if (engine instanceof Error && !(engine instanceof EventManagerError)) throw engine;
      this.die();
      return false;
    }
    this.engine = engine;
    return true;
  }

  /** Stands still for a while, as a process that was sent SIGSTOP: its clocks go on. */
  sleep(forMs: number): void {
    if (this.#awakes) return;
    this.#timers.suspend();
    this.#stand(forMs);
    this.#awakes = this.#options.time.wait(forMs).then(() => {
      this.#awakes = undefined;
      this.#timers.resume();
    });
  }

  get isAsleep(): boolean {
    return this.#awakes !== undefined;
  }

  /** What reaches it while it sleeps it reads when it wakes up. */
  get awakes(): Promise<void> | undefined {
    return this.#awakes;
  }

  /** It was dead or asleep at some time of these, or a letter of it stood on its way. */
  readonly wasStill = (fromMs: number, toMs: number): boolean =>
    this.#still.some((still) => still.fromMs <= toMs && fromMs <= still.toMs) ||
    this.#options.world.wasSlow(this.name, fromMs, toMs);

  #stand(forMs: number): void {
    const fromMs = this.#options.time.monotonicMs();
    this.#still.push({ fromMs, toMs: fromMs + forMs });
  }

  die(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#stand(Number.POSITIVE_INFINITY);
    this.#timers.end();
    this.#end();
    this.#tellDied();
  }
}
