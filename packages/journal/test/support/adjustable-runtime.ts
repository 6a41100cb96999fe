import { type PlantedBug, type Runtime, systemRuntime } from '@event-manager/core';

/** Real time that a test can move forward, for code that does real input and output. */
export class AdjustableRuntime implements Runtime {
  readonly timers = systemRuntime.timers;
  readonly chance = systemRuntime.chance;
  readonly planted: ReadonlySet<PlantedBug>;
  readonly failpoint: (name: string) => void;
  #monotonicMs = 0;
  #wallMs = 0;

  constructor(planted: readonly PlantedBug[] = [], failpoint: (name: string) => void = () => {}) {
    this.planted = new Set(planted);
    this.failpoint = failpoint;
  }

  readonly clock = {
    wallMs: (): number => systemRuntime.clock.wallMs() + this.#monotonicMs + this.#wallMs,
    monotonicMs: (): number => systemRuntime.clock.monotonicMs() + this.#monotonicMs,
  };

  elapse(ms: number): void {
    this.#monotonicMs += ms;
  }

  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }
}
