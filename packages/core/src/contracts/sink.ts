import type { Recorded } from './event-store.ts';

/** One event owed to one subscription, in the middle of an attempt. */
export interface Delivery {
  readonly record: Recorded;
  readonly subscriptionId: string;
  /** 1 for the first; only grows. What receivers see. */
  readonly attempt: number;
  /** Somebody asked for it to be delivered once more. */
  readonly replay?: ReplayMark;
  /** Differs when it is owed anew, by a redrive or a reset: what was answered before does not count. Absent for the first life. */
  readonly life?: string;
}

/** What tells a replayed delivery from one that was owed. */
export interface ReplayMark {
  /** Of the run. */
  readonly id: string;
}

/** What became of one attempt. A failed delivery is a value, not an exception. */
export type Outcome =
  | { readonly status: 'delivered' }
  /**
   * Failed; try again by the policy, not before `afterMs` if given. `unreached` when the receiver never saw it (no connection,
   * no name): the probe of a breaker then costs no retry.
   */
  | { readonly status: 'retry'; readonly error: AttemptError; readonly afterMs?: number; readonly unreached?: true }
  /** The receiver asks for a pause of the whole subscription; costs no retry. Without `afterMs` the retry policy says how long. */
  | { readonly status: 'busy'; readonly afterMs?: number; readonly error?: AttemptError }
  /** Nobody began to handle it, or nobody knows: owed at once, here or on another way. Costs no failure. */
  | { readonly status: 'release' }
  /** Will never succeed: dead letter at once. */
  | { readonly status: 'reject'; readonly error: AttemptError }
  /** The receiver is gone for good: this delivery is a dead letter and the subscription stops. */
  | { readonly status: 'gone'; readonly error: AttemptError };

/** Why an attempt failed, small enough to keep: at most 1 KiB of message. */
export interface AttemptError {
  /** `timeout`, `http_503`, `handler_error`, `endpoint_blocked`, `connection_refused`, … */
  readonly code: string;
  readonly message: string;
  /** What a handler said besides: kept as JSON of at most 1,024 characters, else not at all. */
  readonly metadata?: unknown;
}

export interface DeliverOptions {
  /** False once its outcomes are settled, or it was given up and its place is free again. */
  readonly isUnderWay?: boolean;
  /** Aborted when the delivery timed out, its lease was lost or the engine stops. */
  readonly signal: AbortSignal;
  /** When it will be aborted, on the monotonic clock in milliseconds. */
  readonly deadlineAtMs: number;
  /**
   * For a sink that learns of one delivery of a batch before the others: what it says here counts even when the attempt is
   * given up. `deliver` answers for all of them in any case.
   */
  settled?(index: number, outcome: Outcome): void;
  /** Its receiver has it and will answer in its own time: publishers that wait for the first attempt need not wait for that. */
  handedOver?(): void;
}

/** How a receiver with a connection of its own is reached at the moment. */
export interface RealtimeState {
  readonly connected: boolean;
  /** The way that the next delivery takes. */
  readonly way: 'realtime' | 'fallback';
  /** How often the way changed since it is served here. */
  readonly switches: number;
  /** Why there is no connection. */
  readonly lastError?: AttemptError;
}

/** Takes deliveries out of the engine. */
export interface Sink {
  /** True when every call of `deliver` is given one delivery, whatever the batch size of the subscription. */
  readonly single?: boolean;
  /** True when the sink itself ends what takes too long: the engine gives nothing up that is under way. */
  readonly keepsTime?: boolean;
  /** False while nobody can take a delivery: then nothing is claimed. Absent: somebody always can. */
  readonly isUp?: boolean;
  /** How many more deliveries it takes now. Absent: any number. */
  readonly room?: number;
  /** How its connection is, for a sink that has one. */
  readonly realtime?: RealtimeState | undefined;
  /** Called once by whoever serves it: tells when `isUp` has changed and when there is room again. */
  watch?(onChange: () => void): void;
  /**
   * One outcome per delivery in order. Throws only for bugs (counts as `retry`). May answer without a promise when the
   * work was synchronous, which saves a turn per delivery.
   */
  deliver(batch: readonly Delivery[], options: DeliverOptions): readonly Outcome[] | Promise<readonly Outcome[]>;
  /** Releases sockets and other resources. Called once, after the last `deliver` ended. */
  close(): Promise<void>;
}
