import type { StateChange } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { JsonObject } from '../json.ts';
import type { Principal } from '../principal.ts';
import type { RunKind, RunPart, RunRecord } from './run.ts';

/** What one kind of run asks to be kept when it starts. */
export interface PreparedRun {
  /** As it is understood: every default in it. */
  readonly request: JsonObject;
  readonly note?: string;
  /** One per subscription. */
  readonly parts: readonly (Pick<RunPart, 'subscriptionId' | 'counts' | 'at'> &
    Partial<Pick<RunPart, 'state' | 'skippedFor'>>)[];
}

/** The part of one run that a subscription served here has to do. */
export interface PartAssignment {
  readonly run: RunRecord;
  /** How far it was when it was last durable. */
  readonly part: RunPart;
  readonly subscription: ActiveSubscription;
  /** Makes `part` durable, with what else belongs to it, under the lease of the subscription. Throws what the store throws. */
  readonly commit: (part: RunPart, changes?: readonly StateChange[]) => Promise<void>;
  /** It has ended, durably: nobody asks for it any more. */
  readonly onEnded: () => void;
  /** For what no store is the reason of. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Does one part, for as long as its subscription is served here.
 *
 *     new ──resume──▶ running ◀──pause, resume──▶ paused
 *                        └──nothing left──▶ ended; or stop, drop, cancel, from any state
 *
 * It may be made again from its last durable part at any time, in another process: what it did since is done again, or is seen
 * to be done.
 */
export interface PartDriver {
  /** How far it is now. */
  readonly part: RunPart;
  resume(): void;
  /** Begins nothing more; what is under way goes on. */
  pause(): void;
  /** Resolves when it has ended as `cancelled`, durably, with everything that it kept beside its part removed. */
  cancel(): Promise<void>;
  /**
   * The subscription leaves service here: resolves when nothing is under way, which is given up after `drainMs`, and what was
   * done is durable.
   */
  stop(drainMs: number): Promise<void>;
  /** The same when somebody else serves it already: nothing may be committed any more. */
  drop(): void;
}

/** What a kind of run is. */
export interface RunRoom {
  /** Reads a request and finds out whom it concerns. Throws `invalid_run` and what the fields of the request throw. */
  prepare(principal: Principal, input: unknown): Promise<PreparedRun>;
  drive(assignment: PartAssignment): PartDriver;
  /** Nothing of it goes on here any more, or it could not be kept. May be said more than once, and not at all by a process that ends. */
  over?(run: Pick<RunRecord, 'id' | 'request'>): void;
  /** Does the part of a subscription that nobody will serve, where that is possible. */
  finishUnserved?(run: RunRecord, part: RunPart): Promise<void>;
}

/** By kind; one that is missing is refused with `not_supported`. */
export type RunRooms = Readonly<Partial<Record<RunKind, RunRoom>>>;
