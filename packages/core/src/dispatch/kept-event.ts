import type { Place, Position, Recorded } from '../contracts/event-store.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { eventOfEnvelope, type FreshEnvelope } from '../event/event-of-envelope.ts';
import type { Lane } from '../event/priority.ts';

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
  onFirstAttempts: (() => void) | undefined;
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
    this.firstAttempts = 0;
    this.fresh = undefined;
    this.onFirstAttempts?.();
  }

  firstAttemptEnded(): void {
    if (this.firstAttempts === 0 || --this.firstAttempts > 0) return;
    this.fresh = undefined;
    const tell = this.onFirstAttempts;
    // Whoever still holds the event must not hold its publisher with it.
    this.onFirstAttempts = undefined;
    tell?.();
  }
}
