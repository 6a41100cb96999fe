import { EventBus, type EventBusAdapter, type EventBusOptions, type Supports } from '@event-manager/core';
import { onTestFinished } from 'vitest';
import { faulty } from '../bus/faulty-adapter.ts';
import type { StoreFaults } from '../bus/store-faults.ts';

/** What an adapter hands to the suite of the bus. */
export interface EventBusHarness {
  readonly name: string;
  /** The same object that the adapter shows; the only thing that decides which tests run. */
  readonly supports: Supports;
  /** Makes a place where nothing is kept yet. */
  open(): Promise<EventBusPlace>;
}

export interface EventBusPlace {
  /** An adapter on what is kept here, not opened. Another one is there at the same time only where `supports.shared`. */
  adapter(): EventBusAdapter;
  /** Removes what is kept. Every bus is closed before. */
  dispose(): Promise<void>;
}

/** The place of one test, and the buses that it made there. */
export class BusPlace {
  readonly #place: EventBusPlace;
  readonly #open = new Set<EventBus>();

  constructor(place: EventBusPlace) {
    this.#place = place;
  }

  /** A bus on what is kept here. */
  bus(options: EventBusOptions = {}): EventBus {
    return this.#keep(new EventBus({ ...options, adapter: this.#place.adapter() }));
  }

  /** A bus whose store the test can have go wrong. */
  faultyBus(options: EventBusOptions = {}): { readonly bus: EventBus; readonly store: StoreFaults } {
    const adapter = faulty(this.#place.adapter());
    return { bus: this.#keep(new EventBus({ ...options, adapter })), store: adapter.faults };
  }

  /** Ends a bus and makes another one, as a restart would. */
  async restart(bus: EventBus, options?: EventBusOptions): Promise<EventBus> {
    await bus.close();
    return this.bus(options);
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#open].map((bus) => bus.close()));
    await this.#place.dispose();
  }

  #keep(bus: EventBus): EventBus {
    this.#open.add(bus);
    return bus;
  }
}

/** Opens a place for one test. */
export type StartEventBus = () => Promise<BusPlace>;

export function startEventBus(harness: EventBusHarness): StartEventBus {
  return async () => {
    const place = new BusPlace(await harness.open());
    onTestFinished(() => place.dispose());
    return place;
  };
}

/** So that a test of retries takes milliseconds on every adapter. */
export const FAST_RETRIES = { backoffStrategy: 'fixed', initialDelay: 5, maxDelay: 5, jitter: false } as const;
