import type { Engine, Event, EventIn, EventMetadataIn, Recorded } from '@event-manager/core';
import type { HistoryEntry, OrderPromise, SeededChance, SubscriptionReport, VirtualTime } from '@event-manager/testing';
import type { Plan, SubscriptionPlan } from '../plan.ts';
import type { OnDelivery, Receiver } from '../receivers.ts';
import type { SimulatedProcess } from '../simulated-process.ts';

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
  /** Fields of the request beside its options. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** Fields that only whoever creates the subscription gives, not those who attach to it. */
  readonly created?: Readonly<Record<string, unknown>>;
  /** It wants what names one of these users; of several lists, each at some time. */
  readonly relevantTo?: readonly (readonly string[])[];
  /** What it wants besides at some time: an event that not every variant wants may or may not come. */
  readonly variants?: readonly Wanted[];
  readonly order?: OrderPromise;
  /** Another way out than the plan says. */
  readonly via?: SubscriptionPlan['via'];
  /** Further answers of the receiver, with their shares. */
  readonly answers?: Readonly<Record<string, number>>;
  /** While everything goes wrong. */
  live?(subscription: LiveSubscription): void;
  /** Once nothing goes wrong any more: afterwards everything owed must be settled. */
  heal?(subscription: LiveSubscription): Promise<void>;
  /** Called again and again until everything is settled; says what is not, if anything. */
  whileHealing?(subscription: LiveSubscription): Promise<string | undefined>;
  /** What was broken of what this feature promises. */
  judge?(report: SubscriptionReport, subscription: LiveSubscription): string[] | Promise<string[]>;
}

export interface Wanted {
  readonly topic: string;
  readonly minimumPriority: number | undefined;
}

export interface RunTrait {
  /** Added to the metadata of an event. */
  metadata?(chance: SeededChance, world: RunWorld): EventMetadataIn | undefined;
  /** Added beside it. */
  fields?(chance: SeededChance, event: { readonly id: string }, world: RunWorld): Partial<EventIn> | undefined;
  /** The publisher heard that the event is accepted, after so many calls. */
  acknowledged?(id: string, calls: number, chance: SeededChance, world: RunWorld): void;
  /** An attempt begins. */
  delivered?(event: Event, world: RunWorld): void;
  /** Subscriptions may end without an event of this metadata. */
  isOptional?(metadata: EventMetadataIn | undefined): boolean;
  live?(world: RunWorld): void;
  heal?(world: RunWorld): Promise<void>;
  judge?(world: RunWorld): string[] | Promise<string[]>;
}

/** What somebody may do to what is owed: a run of the simulation in which one of them never happened proves nothing of it. */
export const ACTIONS = [
  'replay',
  'redrive',
  'reset to earliest',
  'reset to latest',
  'reset to a time',
  'reset to a cursor',
  'reset over dead letters',
] as const;
export type Action = (typeof ACTIONS)[number];

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
  /** A process that is up, by chance. */
  anyProcess(): SimulatedProcess | undefined;
  /** Something that must not be. */
  violation(what: string): void;
  /** Somebody did something, and it took effect. */
  did(action: Action): void;
}

export interface LiveSubscription extends RunWorld {
  readonly plan: SubscriptionPlan;
  readonly id: string;
  readonly receiver: Receiver;
  /** What was asked for, without the way out. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Looks at what a process delivers. */
  watch(process: SimulatedProcess): OnDelivery;
  /** Something was lost that had deliveries under way: they may come again. */
  interrupted(): void;
}
