import type { Cancel, Runtime } from '@event-manager/core';
import { outsideOfFlows } from '../observe/flow.ts';

/** Calls again and again, and keeps no program alive. */
export class StatsLines {
  readonly #runtime: Runtime;
  readonly #emit: () => void;
  #cancel: Cancel = () => {};

  constructor(runtime: Runtime, emit: () => void) {
    this.#runtime = runtime;
    this.#emit = emit;
  }

  /** 0: not any more. */
  every(intervalMs: number): void {
    this.#cancel();
    if (intervalMs === 0) return;
    const tick = () => {
      this.#emit();
      this.#cancel = this.#runtime.timers.after(intervalMs, tick);
    };
    outsideOfFlows(() => {
      this.#cancel = this.#runtime.timers.after(intervalMs, tick);
    });
  }
}
