import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { OrderedKeys } from './order/ordered-keys.ts';
import type { KeyMeaning } from './order/ordering-key.ts';
import type { RateLimit } from './pace/rate-limit.ts';

/** Prefix and writer of this queue's keys in the state store. */
export interface QueueKeys {
  readonly progress: string;
  readonly owedPrefix: string;
  owed(position: Position): string;
}

export interface QueueOptions {
  readonly keys: QueueKeys;
  /** False for subscriptions that end with the process: nothing but dead letters is written. */
  readonly durable: boolean;
  readonly inFlightMax: number;
  readonly laneEntriesMax: number;
  readonly owedMax: number;
  /** Where order is kept, or was: keys that are blocked from then go on as they were meant. */
  readonly orderedKeys?: OrderedKeys | undefined;
  /** What keys mean now, for whoever serves the subscription next. */
  readonly order?: KeyMeaning | undefined;
  /** Planted bug: a retry is no debt any more once it was claimed. */
  readonly forgetsRetries?: boolean;
  /** Its record goes with the progress of a clean stop. */
  readonly rateLimit?: RateLimit | undefined;
  /** All priorities stand in one lane, in the order of the log. */
  readonly isSingleLane?: boolean;
  /** What else each commit of its progress says. */
  readonly beside?: (() => StateChange) | undefined;
}
