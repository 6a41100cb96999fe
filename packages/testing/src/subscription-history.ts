import {
  type DeliverEntry,
  END_STATES,
  type EndEntry,
  type EndState,
  type MaybeAckEntry,
  type ReleaseEntry,
  type SubscribeEntry,
} from './history-entry.ts';
import { KeyOrder } from './key-order.ts';
import { mostInWindow } from './most-in-window.ts';
import type { PublishedEvent } from './published-events.ts';

/** What became of the events that one subscription was to get. Counts are of events unless said otherwise. */
export interface SubscriptionReport extends Readonly<Record<EndState, number>> {
  readonly subscription: string;
  /** Invoked, however that ended. */
  readonly attempts: number;
  readonly acked: number;
  /** Received and not refused by the receiver at least once. */
  readonly delivered: number;
  /** Acknowledged, never delivered, and nothing recorded says why. Must be 0. */
  readonly lost: number;
  /** Of those lost: published before the first, between, and after the last one that was delivered. */
  readonly lostWhere: { readonly prefix: number; readonly middle: number; readonly postfix: number };
  /** Delivered though never published, surely refused, meant for others, or with other content. Must be 0. */
  readonly unexpected: number;
  /** Deliveries of an event that its receiver had taken the time before. What follows a refusal is a retry. */
  readonly duplicates: number;
  /** First deliveries that came after that of a later event of the same lane, or of the same key where that was promised. */
  readonly inversions: number;
  /** First deliveries of a key that was parked and that nobody had released. */
  readonly parkedWentOn: number;
  /** The most deliveries within any 60 seconds, where the history says when. */
  readonly mostInMinute: number;
  /** Deliveries whose attempt was not higher than the one before of the same event. */
  readonly attemptsRepeated: number;
  /** Delivered though the publisher never learned that it was stored. */
  readonly recovered: number;
}

const MINUTE_MS = 60_000;

/** What one subscription got of one event. */
interface Received {
  delivered: boolean;
  /** The receiver took the latest delivery, so that another one can only be a duplicate. */
  settled: boolean;
  /** It said that it took the latest delivery, and nobody told whether that was heard: it may come again or not. */
  maybeTaken: boolean;
  lastAttempt: number | undefined;
}

/** The furthest that first deliveries got, by position in the log and by place of the invocation in the history. */
interface Furthest {
  position: number;
  invokedAt: number;
}

/** Follows one subscription through a history and then counts. */
export class SubscriptionHistory {
  readonly name: string;
  readonly examples = { lost: [] as string[], unexpected: [] as string[], inversions: [] as string[] };
  readonly #received = new Map<string, Received>();
  readonly #ended = new Map<string, EndState>();
  readonly #unexpected = new Set<string>();
  readonly #furthest = new Map<string, Furthest>();
  readonly #besideMs: number | undefined;
  /** First deliveries that an earlier event may still be seen behind, oldest first. */
  readonly #beside: { readonly event: PublishedEvent; readonly atMs: number }[] = [];
  #duplicates = 0;
  readonly #keyOrder: KeyOrder | undefined;
  readonly #deliveredAtMs: number[] = [];
  #inversions = 0;
  #attemptsRepeated = 0;

  constructor({ subscription, order, besideMs }: SubscribeEntry) {
    this.name = subscription;
    this.#besideMs = besideMs;
    this.#keyOrder = order && new KeyOrder(order, (id) => this.#invert(id));
  }

  deliver(entry: DeliverEntry, event: PublishedEvent | undefined): void {
    if (entry.atMs !== undefined) this.#deliveredAtMs.push(entry.atMs);
    if (event === undefined || !this.#isExpected(event, entry)) {
      if (!this.#unexpected.has(entry.id)) this.examples.unexpected.push(entry.id);
      this.#unexpected.add(entry.id);
      return;
    }
    let received = this.#received.get(entry.id);
    if (received === undefined) {
      received = { delivered: false, settled: false, maybeTaken: false, lastAttempt: undefined };
      this.#received.set(entry.id, received);
      if (this.#keyOrder === undefined) this.#followOrder(event, entry);
    }
    if (!event.optional.has(this.name)) this.#keyOrder?.deliver(entry, event);
    if (received.settled) this.#duplicates++;
    received.settled = entry.failed !== true;
    // It came again, so it was not taken, or not durably: what is said of this delivery counts.
    received.maybeTaken = false;
    if (entry.attempt !== undefined) {
      if (entry.attempt <= (received.lastAttempt ?? 0)) this.#attemptsRepeated++;
      received.lastAttempt = entry.attempt;
    }
    if (entry.failed !== true) received.delivered = true;
  }

  end({ id, state }: EndEntry): void {
    this.#ended.set(id, state);
  }

  ack(id: string): void {
    const received = this.#received.get(id);
    if (received === undefined) return;
    received.settled = true;
    received.delivered = true;
    this.#keyOrder?.ack(id);
  }

  maybeAck({ id, attempt }: MaybeAckEntry): void {
    const received = this.#received.get(id);
    // What is said of an earlier delivery than the latest nobody waits for any more.
    if (received === undefined || received.lastAttempt !== attempt) return;
    received.maybeTaken = true;
    this.#keyOrder?.maybeAck(id);
  }

  interrupt(): void {
    this.#keyOrder?.interrupt();
  }

  release(entry: ReleaseEntry): void {
    this.#keyOrder?.release(entry);
  }

  report(published: ReadonlyMap<string, PublishedEvent>): SubscriptionReport {
    const events = [...published.values()].filter((event) => this.#isMeant(event));
    const acked = events.filter((event) => event.acknowledgedAt !== undefined);
    const ends = Object.fromEntries(END_STATES.map((state) => [state, 0])) as Record<EndState, number>;
    for (const { id } of events) {
      const state = this.#ended.get(id);
      if (state !== undefined && !this.#isDelivered(id)) ends[state]++;
    }
    const isLost = ({ id, optional, cancelled }: PublishedEvent) =>
      !(
        this.#isDelivered(id) ||
        this.#received.get(id)?.maybeTaken ||
        this.#ended.has(id) ||
        optional.has(this.name) ||
        cancelled !== 'no'
      );
    const lost = acked.filter(isLost);
    this.examples.lost.push(...lost.map(({ id }) => id));
    const delivered = events.filter(({ id }) => this.#isDelivered(id));
    return {
      subscription: this.name,
      attempts: events.length,
      acked: acked.length,
      delivered: delivered.length,
      lost: lost.length,
      lostWhere: whereLost(lost, delivered),
      unexpected: this.#unexpected.size,
      duplicates: this.#duplicates,
      inversions: this.#inversions,
      parkedWentOn: this.#parkedWentOn(),
      mostInMinute: mostInWindow(this.#deliveredAtMs, MINUTE_MS),
      attemptsRepeated: this.#attemptsRepeated,
      recovered: delivered.filter((event) => event.acknowledgedAt === undefined).length,
      ...ends,
    };
  }

  /** Only a dead letter parks: what expired or was removed meanwhile holds nobody. */
  #parkedWentOn(): number {
    const passed = this.#keyOrder?.passedParked ?? [];
    return passed.filter((id) => (this.#ended.get(id) ?? 'deadLettered') === 'deadLettered').length;
  }

  #isDelivered(id: string): boolean {
    return this.#received.get(id)?.delivered === true;
  }

  #isMeant(event: PublishedEvent): boolean {
    return event.subscriptions?.has(this.name) ?? true;
  }

  #isExpected(event: PublishedEvent, entry: DeliverEntry): boolean {
    const mayBeStored = event.acknowledgedAt !== undefined || event.open > 0;
    const isAltered = event.digest !== undefined && entry.digest !== undefined && event.digest !== entry.digest;
    return event.cancelled !== 'surely' && mayBeStored && this.#isMeant(event) && !isAltered;
  }

  /**
   * Order is judged by position where both are known. Otherwise only what a client itself could see is held against the
   * product: of two events of one client and lane, the second published after the first was acknowledged.
   */
  #followOrder(event: PublishedEvent, { attempt, atMs }: DeliverEntry): void {
    if (event.isLater && event.position === undefined) return;
    if (this.#besideMs === undefined || atMs === undefined) {
      if (this.#isBehind(event)) this.#invert(event.id);
      this.#reach(event);
      return;
    }
    while (this.#beside[0] && this.#beside[0].atMs < atMs - this.#besideMs) this.#reach(this.#beside.shift()!.event);
    if (attempt === 1 && this.#isBehind(event)) this.#invert(event.id);
    this.#beside.push({ event, atMs });
  }

  #isBehind(event: PublishedEvent): boolean {
    const lane = this.#furthestOf(`${event.lane}`);
    const client = this.#furthestOf(`${event.lane} ${event.client}`);
    if (event.position !== undefined) return lane.position > event.position;
    return event.acknowledgedAt !== undefined && client.invokedAt > event.acknowledgedAt;
  }

  #reach(event: PublishedEvent): void {
    const lane = this.#furthestOf(`${event.lane}`);
    const client = this.#furthestOf(`${event.lane} ${event.client}`);
    lane.position = Math.max(lane.position, event.position ?? 0);
    if (!event.isLater) client.invokedAt = Math.max(client.invokedAt, event.invokedAt);
  }

  #invert(id: string): void {
    this.#inversions++;
    this.examples.inversions.push(id);
  }

  #furthestOf(key: string): Furthest {
    let furthest = this.#furthest.get(key);
    if (furthest === undefined) {
      furthest = { position: 0, invokedAt: -1 };
      this.#furthest.set(key, furthest);
    }
    return furthest;
  }
}

/** A lost end of the log points to another mistake than a hole in it. */
function whereLost(
  lost: readonly PublishedEvent[],
  delivered: readonly PublishedEvent[],
): SubscriptionReport['lostWhere'] {
  const times = delivered.map((event) => event.invokedAt);
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const last = times.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY);
  const prefix = lost.filter(({ invokedAt }) => invokedAt < first).length;
  const postfix = lost.filter(({ invokedAt }) => invokedAt >= first && invokedAt > last).length;
  return { prefix, middle: lost.length - prefix - postfix, postfix };
}
