/**
 * From the store's answer to the publishers': route each stored event, then tell who handed it in. An event with a thousand
 * subscriptions is a thousand offers, so a large group is taken in slices with other input between them; groups are
 * taken in the order of the log, because an event is routed from memory only when it follows on the one before. A group that
 * follows on many within one turn of the event loop waits for the next one (`give-way.ts`).
 */
import type { Appended } from '../contracts/event-store.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import type { Route } from '../dispatch/route.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { FreshEnvelope } from '../event/event-of-envelope.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Clock, Timers } from '../runtime/clock.ts';
import { GiveWay } from './give-way.ts';
import type { Normalized } from './normalize.ts';
import { Published, type PublishResult } from './publish-result.ts';

/** Events and offers before others have their turn: about ten milliseconds. */
const WORK_PER_TURN = 50_000;

/** An event that was handed in and is not acknowledged yet. */
export interface Waiting {
  readonly event: Normalized;
  /** JSON pointer of the event in the caller's input. */
  readonly pointer: string;
  readonly awaitsAttempts: boolean;
  /** Both are told `at` again: what a batch hands in shares them. */
  readonly resolve: (result: PublishResult, at: number) => void;
  readonly reject: (error: unknown, at: number) => void;
  readonly at: number;
}

interface Group {
  readonly waiting: readonly Waiting[];
  readonly results: readonly Appended[];
  /** When it was handed in, on the monotonic clock. */
  readonly sinceMs: number;
  next: number;
}

export class Acknowledge {
  readonly #route: Route;
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #onAnswered: (group: readonly Waiting[]) => void;
  readonly #giveWay: GiveWay | undefined;
  readonly #groups: Group[] = [];
  #isScheduled = false;

  constructor(options: {
    route: Route;
    timers: Timers;
    clock: Clock;
    meter: Meter;
    /** The store answers within the turn of the event loop in which it is asked. */
    isAtOnce: boolean;
    onAnswered: (group: readonly Waiting[]) => void;
  }) {
    this.#route = options.route;
    this.#timers = options.timers;
    this.#clock = options.clock;
    this.#meter = options.meter;
    this.#onAnswered = options.onAnswered;
    this.#giveWay = options.isAtOnce ? new GiveWay(options.timers) : undefined;
  }

  /** The store took `waiting`, in the order of the log, and says of each what became of it; handed in at `sinceMs`. */
  take(waiting: readonly Waiting[], results: readonly Appended[], sinceMs: number): void {
    this.#groups.push({ waiting, results, sinceMs, next: 0 });
    if (this.#isScheduled) return;
    if (this.#giveWay?.isDue(sinceMs)) this.#schedule();
    else this.#run();
  }

  #schedule(): void {
    this.#isScheduled = true;
    this.#timers.soon(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    let left = WORK_PER_TURN;
    while (left > 0) {
      const group = this.#groups[0];
      if (!group) break;
      while (left > 0 && group.next < group.waiting.length) {
        left -= this.#acknowledge(group.waiting[group.next]!, group.results[group.next]!);
        group.next++;
      }
      if (group.next < group.waiting.length) break;
      this.#groups.shift();
      const nowMs = this.#clock.monotonicMs();
      this.#meter.publishLatency.observe(nowMs - group.sinceMs, group.waiting.length);
      this.#giveWay?.answered(group.sinceMs, nowMs);
      this.#onAnswered(group.waiting);
    }
    this.#route.flush();
    if (this.#groups.length > 0) this.#schedule();
  };

  /** Answers one publisher; returns how much work it was. */
  #acknowledge(waiting: Waiting, appended: Appended): number {
    const { event, at } = waiting;
    if (appended.status === 'conflict') {
      const words = 'The id belongs to an event with other content.';
      this.#meter.reject('id_conflict');
      const details = { pointer: `${waiting.pointer}/id`, id: event.id };
      waiting.reject(new EventManagerError('id_conflict', words, details), at);
      return 1;
    }
    const result = new Published(event.id, appended.place, appended.status === 'duplicate');
    if (appended.status === 'duplicate') {
      this.#meter.duplicates++;
      waiting.resolve(result, at);
      return 1;
    }
    this.#meter.published++;
    const { place, recordedAtMs, previous } = appended;
    const { id, topic, lane, flags, body } = event;
    const kept = new KeptEvent({ id, topic, lane, flags, body, place, recordedAtMs });
    kept.awaitsAttempts = waiting.awaitsAttempts;
    const offers = this.#route.appended(kept, previous);
    if (kept.firstAttempts > 0) {
      kept.publisher = waiting;
      kept.answer = result;
      kept.fresh = event.envelope && (event as FreshEnvelope);
    } else waiting.resolve(result, at);
    return 1 + offers;
  }
}
