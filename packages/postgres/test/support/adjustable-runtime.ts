import { type Runtime, systemRuntime } from '@event-manager/core';

/** Real time whose wall clock a test can move. */
export class AdjustableRuntime implements Runtime {
  readonly timers = systemRuntime.timers;
  readonly chance = systemRuntime.chance;
  readonly planted = systemRuntime.planted;
  readonly failpoint = systemRuntime.failpoint;
  #wallMs = 0;

  readonly clock = {
    wallMs: (): number => systemRuntime.clock.wallMs() + this.#wallMs,
    monotonicMs: (): number => systemRuntime.clock.monotonicMs(),
  };

  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }
}
