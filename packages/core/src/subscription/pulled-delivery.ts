import type { ReplayMark } from '../contracts/sink.ts';
import type { Event } from '../event/event.ts';

export interface PullOptions {
  /** Deliveries at the most, 1 to 1,000. Default: 10. */
  readonly max?: number;
  /** How long to wait for the first one, milliseconds, at most 30,000. Default: 0, which asks for what is owed now. */
  readonly waitMs?: number;
  /** Ends the waiting; what was handed over by then and did not arrive is released. */
  readonly signal?: AbortSignal;
}

export interface NackOptions {
  /** `false` makes a dead letter of it at once. Default: true. */
  readonly retry?: boolean;
  /** Not before so many milliseconds. */
  readonly afterMs?: number;
  /** Why, in words that are kept with the delivery. */
  readonly error?: string;
  /** What is kept with it besides, as JSON of at most 1,024 characters. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * A delivery that was asked for. It is leased until `leaseUntil`: what is not answered by then is tried again with a higher
 * attempt, here or elsewhere, and that costs no failure. Each answer resolves with false when it came too late.
 */
export interface PulledDelivery<Received = Event> {
  /** Names this lease. */
  readonly delivery: string;
  /** 1 for the first; only grows. */
  readonly attempt: number;
  /** Set when the event is delivered once more because somebody asked for a replay. */
  readonly replay?: ReplayMark;
  /** RFC 3339, by the clock of whoever keeps the events; moves on with `extend`. */
  readonly leaseUntil: string;
  readonly event: Received;
  /** It is done. */
  ack(): Promise<boolean>;
  /** It failed: tried again by the retry policy. */
  nack(options?: NackOptions): Promise<boolean>;
  /** It takes longer: its time begins anew. */
  extend(): Promise<boolean>;
}

/** How answers reach whoever keeps the events. */
export interface LeaseAnswers {
  ack(delivery: string): Promise<boolean>;
  nack(delivery: string, options: NackOptions): Promise<boolean>;
  /** Resolves with the new end of the lease, or with nothing when it came too late. */
  extend(delivery: string): Promise<string | undefined>;
}

export function pulledDelivery<Received>(
  {
    delivery,
    attempt,
    replay,
    leaseUntil,
    event,
  }: Pick<PulledDelivery<Received>, 'delivery' | 'attempt' | 'replay' | 'leaseUntil' | 'event'>,
  answers: LeaseAnswers,
): PulledDelivery<Received> {
  let until = leaseUntil;
  return {
    delivery,
    attempt,
    ...(replay ? { replay } : {}),
    event,
    get leaseUntil() {
      return until;
    },
    ack: () => answers.ack(delivery),
    nack: (options = {}) => answers.nack(delivery, options),
    async extend() {
      const extended = await answers.extend(delivery);
      until = extended ?? until;
      return extended !== undefined;
    },
  };
}
