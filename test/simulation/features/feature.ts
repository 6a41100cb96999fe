import type { Engine, EventIn, EventMetadataIn, Recorded } from '@event-manager/core';
import type { HistoryEntry, OrderPromise, SeededChance, SubscriptionReport, VirtualTime } from '@event-manager/testing';
import type { Plan, SubscriptionPlan } from '../plan.ts';

/**
 * One thing that a seed can switch on for a subscription: a feature of the product with the trouble that belongs to it.
 * It draws from a chance of its own, so that a feature that is added changes nothing else of a seed.
 */
export type Feature = (chance: SeededChance, subscription: SubscriptionPlan, plan: Plan) => Trait | undefined;

/** The same for a run as a whole. */
export type RunFeature = (chance: SeededChance, plan: Plan) => RunTrait | undefined;

/** What a feature adds to one subscription. Its values are printed with the plan. */
export interface Trait {
  /** Fields of the request to subscribe. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What it wants besides at some time: an event that not every variant wants may or may not come. */
  readonly variants?: readonly Wanted[];
  readonly order?: OrderPromise;
  /** Further answers of the receiver, with their shares. */
  readonly answers?: Readonly<Record<string, number>>;
  /** While everything goes wrong. */
  live?(subscription: LiveSubscription): void;
  /** Once nothing goes wrong any more: afterwards everything owed must be settled. */
  heal?(subscription: LiveSubscription): Promise<void>;
  /** Called again and again until everything is settled. */
  whileHealing?(subscription: LiveSubscription): Promise<void>;
  /** What was broken of what this feature promises. */
  judge?(report: SubscriptionReport, subscription: LiveSubscription): string[] | Promise<string[]>;
}

export interface Wanted {
  readonly topic: string;
  readonly minimumPriority: number | undefined;
}

export interface RunTrait {
  /** Added to the metadata of an event. */
  metadata?(chance: SeededChance, event: EventIn & { id: string }, world: RunWorld): EventMetadataIn | undefined;
  /** Subscriptions may end without an event of this metadata. */
  isOptional?(metadata: EventMetadataIn | undefined): boolean;
  live?(world: RunWorld): void;
  heal?(world: RunWorld): Promise<void>;
  judge?(world: RunWorld): string[] | Promise<string[]>;
}

/** The run as its features see it. */
export interface RunWorld {
  readonly time: VirtualTime;
  readonly chance: SeededChance;
  readonly history: HistoryEntry[];
  readonly note: (what: string) => void;
  /** True once nothing may go wrong any more. */
  readonly isHealing: boolean;
  /** Runs an operation at a process that is up. `undefined` when that died or refused, which is its right. */
  operate<T extends object>(operation: (engine: Engine) => Promise<T>): Promise<T | undefined>;
  /** The same again and again, until it is done. */
  insist<T extends object>(operation: (engine: Engine) => Promise<T>): Promise<T>;
  /** The whole log as it is kept now. */
  readLog(): Promise<readonly Recorded[]>;
  /** Something that must not be. */
  violation(what: string): void;
}

export interface LiveSubscription extends RunWorld {
  readonly plan: SubscriptionPlan;
  readonly id: string;
}
