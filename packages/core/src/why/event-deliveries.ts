import type { WhyReason, WhyStatus } from './why.ts';

/** What became of an event at one subscription, in short. */
export interface EventDelivery {
  readonly subscriptionId: string;
  readonly name?: string;
  readonly status: WhyStatus;
  readonly reason: WhyReason;
  readonly words: string;
  readonly certain: boolean;
}

/** What became of an event everywhere. */
export interface EventDeliveries {
  /** By the ids of their subscriptions. */
  readonly deliveries: readonly EventDelivery[];
  /** Subscriptions whose pattern the topic does not match; they are not among the deliveries unless all are asked for. */
  readonly notMatching: number;
}

export interface EventDeliveriesPage extends EventDeliveries {
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
}

export interface DeliveriesRequest {
  /** Also subscriptions whose pattern the topic does not match. Default: false. */
  readonly all?: boolean | undefined;
}
