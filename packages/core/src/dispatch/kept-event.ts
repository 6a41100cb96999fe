import type { Place, Position, Recorded } from '../contracts/event-store.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { eventOfEnvelope, type FreshEnvelope } from '../event/event-of-envelope.ts';
import type { Lane } from '../event/priority.ts';

/** Of one event, or of a batch in which the event has the place `at`. */
export interface WaitingPublisher {
  readonly resolve: (answer: never, at: number) => void;
  readonly at: number;
}

/** A recorded event in memory, decoded at most once however many subscriptions look at it. */
export class KeptEvent implements Recorded {
  readonly id: string;
  readonly place: Place;
  readonly recordedAtMs: number;
  readonly topic: string;
  readonly lane: Lane;
  readonly flags: number;
  readonly body: Uint8Array;
  /** True when the publisher waits for the first attempt of every in-process handler; see `Ingest`. */
  awaitsAttempts = false;
  /** First attempts still to end. */
  firstAttempts = 0;
  /** Who waits for them, and what it is answered then: two fields, because a closure for each event was a thirtieth of what one allocates. */
  publisher: WaitingPublisher | undefined;
  answer: unknown;
  /** Queues that were offered the event as it came and are not done with it. */
  waitingQueues = 0;
  /** Where it is kept. */
  keeper: { forget(kept: KeptEvent): void } | undefined;
  /** While its first attempts are about to be made: what spares them to read all of the body. */
  fresh: FreshEnvelope | undefined;
  #event: Event | undefined;

  constructor(record: Recorded) {
    this.id = record.id;
    this.place = record.place;
    this.recordedAtMs = record.recordedAtMs;
    this.topic = record.topic;
    this.lane = record.lane;
    this.flags = record.flags;
    this.body = record.body;
  }

  get position(): Position {
    return this.place.position;
  }

  /** The decoded, frozen event; shared by everybody. */
  get event(): Event {
    this.#event ??= this.fresh ? eventOfEnvelope(this.fresh, this.body) : decodeEvent(this.body);
    return this.#event;
  }

  /**
   * A queue that was offered the event as it came needs it no more. After the last one it goes: an event that stayed until
   * others took its place would outlive two collections of garbage, and be copied in each.
   */
  done(): void {
    if (this.waitingQueues > 0 && --this.waitingQueues === 0) this.keeper?.forget(this);
  }

  /** It leaves memory: nobody can tell any more when its attempts end. */
  dropped(): void {
    if (this.firstAttempts === 0) return;
    this.firstAttempts = 1;
    this.firstAttemptEnded();
  }

  firstAttemptEnded(): void {
    if (this.firstAttempts === 0 || --this.firstAttempts > 0) return;
    this.fresh = undefined;
    const { publisher, answer } = this;
    // Whoever still holds the event must not hold its publisher with it.
    this.publisher = this.answer = undefined;
    publisher?.resolve(answer as never, publisher.at);
  }
}
