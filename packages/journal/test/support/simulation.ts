import type { EventBusAdapter, MovableAdapter, PlantedBug, Runtime } from '@event-manager/core';
import { type JournalOptions, journal } from '@event-manager/journal';
import { type CrashMode, SeededChance, SimulatedDisk } from '@event-manager/testing';

export const DIRECTORY = '/data';

/** A journal on a simulated disk. Timers fire only when the test says so; everything else runs at once. */
export class Simulation {
  readonly disk: SimulatedDisk;
  readonly planted = new Set<PlantedBug>();
  readonly fired: string[] = [];
  onFailpoint: (name: string) => void = () => {};
  #nowMs = 1_000_000;
  #timers: { at: number; run: () => void }[] = [];
  readonly #chance: SeededChance;

  constructor(seed = 1, disk?: SimulatedDisk) {
    this.#chance = new SeededChance(seed);
    this.disk = disk ?? new SimulatedDisk({ chance: new SeededChance(seed + 1) });
  }

  get runtime(): Runtime {
    return {
      clock: { wallMs: () => this.#nowMs, monotonicMs: () => this.#nowMs },
      timers: {
        after: (delayMs, run) => {
          const timer = { at: this.#nowMs + delayMs, run };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
        soon: (run) => {
          setImmediate(run);
        },
      },
      chance: this.#chance,
      failpoint: (name) => {
        this.fired.push(name);
        this.onFailpoint(name);
      },
      planted: this.planted,
    };
  }

  journal(options: Partial<JournalOptions> = {}): MovableAdapter {
    return journal({
      directory: DIRECTORY,
      // A process of its own: what it still calls after its death reaches nothing.
      disk: this.disk.mount(),
      runtime: this.runtime,
      segmentBytesMax: 4096,
      reserveBytes: 0,
      ...options,
    });
  }

  async open(options: Partial<JournalOptions> = {}): Promise<EventBusAdapter> {
    const adapter = this.journal(options);
    await adapter.open();
    return adapter;
  }

  /** Moves the clock and lets everything that is due happen. */
  async elapse(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (let due = this.#due(); due.length > 0; due = this.#due()) for (const run of due) run();
    await settle();
  }

  /** Ends the process; its timers with it. */
  endProcess(how: 'crash' | 'kill', mode: CrashMode = 'chance'): void {
    this.#timers = [];
    if (how === 'kill') this.disk.kill();
    else this.disk.crash(mode);
  }

  #due(): (() => void)[] {
    const due = this.#timers.filter(({ at }) => at <= this.#nowMs);
    this.#timers = this.#timers.filter(({ at }) => at > this.#nowMs);
    return due.map(({ run }) => run);
  }
}

/** Lets promise chains and slices of background work finish. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}
