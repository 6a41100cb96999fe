import { Engine, type EngineOptions, type PlantedBug } from '@event-manager/core';
import {
  SeededChance,
  type SharedHandle,
  SimulatedShared,
  type SimulatedSharedOptions,
  simulatedRuntime,
  type TimerScope,
  VirtualTime,
} from '@event-manager/testing';

export interface EnginesOptions extends Partial<Omit<SimulatedSharedOptions, 'time' | 'chance'>> {
  readonly seed: number;
  readonly planted?: readonly PlantedBug[] | undefined;
}

/** One process with an engine, that can be killed and put to sleep. */
export interface RunningEngine {
  readonly name: string;
  readonly engine: Engine;
  readonly timers: TimerScope;
  readonly handle: SharedHandle;
  readonly isAlive: boolean;
  /** As by `kill -9`. */
  kill(): void;
}

/** Several engines that share one simulated store. */
export class Engines {
  readonly time = new VirtualTime();
  readonly chance: SeededChance;
  readonly shared: SimulatedShared;
  readonly #planted: readonly PlantedBug[];

  constructor({ seed, planted = [], ...options }: EnginesOptions) {
    this.chance = new SeededChance(seed);
    this.shared = new SimulatedShared({ time: this.time, chance: this.chance.fork('shared'), ...options });
    this.#planted = planted;
  }

  async launch(
    name: string,
    options: (isAlive: () => boolean) => Omit<EngineOptions, 'adapter' | 'runtime' | 'owner'>,
  ): Promise<RunningEngine> {
    const timers = this.time.scope();
    const handle = this.shared.connect(timers);
    const chance = this.chance.fork(name);
    const runtime = simulatedRuntime({ clock: this.time, timers, chance, planted: this.#planted });
    let isAlive = true;
    const opening = Engine.open({ adapter: handle, runtime, owner: name, ...options(() => isAlive) });
    const engine = await this.time.run(opening);
    return {
      ...{ name, engine, timers, handle },
      get isAlive() {
        return isAlive;
      },
      kill() {
        isAlive = false;
        timers.end();
        handle.crash();
      },
    };
  }
}

/** A UUID of version 4 that the seed decides. */
export function eventIdFrom(chance: SeededChance): string {
  const bytes = new Uint8Array(16);
  chance.fill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
