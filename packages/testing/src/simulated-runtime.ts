import type { Chance, Clock, PlantedBug, Runtime, Timers } from '@event-manager/core';

export interface SimulatedRuntimeOptions {
  /** Usually one `VirtualTime` for the whole simulation. */
  readonly clock: Clock;
  /** That time again, or a `scope()` of it that ends with the simulated process. */
  readonly timers: Timers;
  readonly chance: Chance;
  /** Called at every failpoint; may end the simulated process there by killing its disk, timers and adapter. */
  readonly failpoint?: (name: string) => void;
  readonly planted?: Iterable<PlantedBug>;
}

/** What one simulated process takes from its surroundings. */
export function simulatedRuntime(options: SimulatedRuntimeOptions): Runtime {
  const { clock, timers, chance, failpoint = () => {}, planted = [] } = options;
  return { clock, timers, chance, failpoint, planted: new Set(planted) };
}
