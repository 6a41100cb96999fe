import { type Chance, systemChance } from './chance.ts';
import { type Clock, systemClock, systemTimers, type Timers } from './clock.ts';

/** What the engine and the adapters take from their surroundings: time, chance, and hooks that only tests use. */
export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly chance: Chance;
  /**
   * Called before and after each step that a crash could separate from the next. Does nothing in production; the
   * simulation may end the simulated process here: from then on nothing it does has an effect outside. Never throws.
   */
  failpoint(name: string): void;
  /** Known mistakes switched on by the tests that prove the suites catch them. Empty in production. */
  readonly planted: ReadonlySet<PlantedBug>;
}

/** Mistakes that event stores are known to make; each is caught by a named test (`docs/architecture.md`, "Does it bite?"). */
export type PlantedBug =
  | 'acknowledge-before-sync'
  | 'skip-directory-sync'
  | 'sync-again-after-failure'
  | 'ignore-short-write'
  | 'no-checksum-on-read'
  | 'delete-unreadable-segment'
  | 'dead-letter-not-atomic'
  | 'window-lost-at-restart'
  | 'lease-by-wall-clock'
  | 'no-fencing'
  | 'debt-done-before-work'
  | 'release-counts-as-failure'
  | 'breaker-spends-retries'
  | 'key-order-lost-on-overflow'
  | 'key-order-lost-after-retry'
  | 'parked-key-goes-on'
  | 'pull-lease-never-ends'
  | 'fallback-delivers-twice'
  | 'scheduled-under-another-id'
  | 'retention-drops-debt'
  | 'ids-lost-at-restart'
  | 'rate-limit-lost-at-restart'
  | 'aging-ignored'
  | 'stale-letter-begun'
  | 'replay-begins-anew'
  | 'replay-fails-as-live'
  | 'repeated-ask-done-again'
  | 'redrive-torn-from-letter'
  | 'redrive-takes-all-room'
  | 'reset-keeps-debts'
  | 'reset-overwrites-letters';

export const systemRuntime: Runtime = {
  clock: systemClock,
  timers: systemTimers,
  chance: systemChance,
  failpoint: () => {},
  planted: new Set(),
};
