import {
  type Cancel,
  type Clock,
  type DeliverOptions,
  type Delivery,
  encodeCursor,
  type Outcome,
  replayField,
  type Sink,
  type Timers,
} from '@event-manager/core';
import { type Deliveries, DeliveryGroup } from './deliveries.ts';
import type { Outbox } from './outbox.ts';

/** A batch of large events leaves in several frames, each when there is room: a client has a limit, too. */
const FRAME_BYTES_MAX = 256 * 1024;
const RELEASED: Outcome = { status: 'release' };
/** What had no room goes back so long before the engine would count it as failed, or half of its time where that is less. */
const MARGIN_MS = 50;

export interface SocketSinkOptions {
  readonly outbox: Outbox;
  readonly deliveries: Deliveries;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The peer has said goodbye; whoever keeps the connection may not know yet. */
  readonly onLost: () => void;
  /** As which member its client named itself. */
  readonly member?: string | undefined;
}

/**
 * Hands the deliveries of one subscription to a connection.
 *
 *     held ──open──▶ open ──close, or given up──▶ closed
 *
 * `held`: the client has not been told the id yet. While the outbox is full deliveries wait here, at most those that the
 * subscription may have under way, and bodies that the engine keeps in any case. What had no room in its time goes back: the
 * client never saw it, so it is no failure.
 *
 * Between the goodbye of a peer and the moment in which the engine knows of it a delivery may still come. It is held: the
 * connection then leaves its subscriptions at once, and that gives it back, without a failure and without a pause for others.
 */
export class SocketSink implements Sink {
  readonly #options: SocketSinkOptions;
  #waiting: DeliveryGroup[] = [];
  #id: string | undefined;
  #isClosed = false;
  #isAwaitingRoom = false;
  #cancelDeadline: Cancel | undefined;

  constructor(options: SocketSinkOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return !(this.#isClosed || this.#options.outbox.isClosed);
  }

  deliver(batch: readonly Delivery[], options: DeliverOptions): Promise<readonly Outcome[]> {
    const { outbox, onLost } = this.#options;
    if (this.#isClosed) return Promise.resolve(batch.map(() => RELEASED));
    if (outbox.isClosed) onLost();
    return new Promise((resolve) => {
      this.#waiting.push(new DeliveryGroup(this, batch, options, resolve));
      this.#write();
    });
  }

  /** The client knows the subscription by this id from now on. */
  open(id: string): void {
    this.#id = id;
    this.#write();
  }

  /** Gives back what is here and what was sent: nobody can answer for it any more, and nobody waits for the end of its time. */
  giveUp(): void {
    this.#isClosed = true;
    this.#giveBack(() => true);
    this.#options.deliveries.releaseOf(this);
  }

  /** Answers nothing: whoever takes a subscription out of service releases what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    this.#cancelDeadline?.();
    this.#options.deliveries.forget(this);
  }

  #write(): void {
    const { outbox, clock } = this.#options;
    if (this.#id === undefined || this.#waiting.length === 0) return;
    let next = 0;
    while (next < this.#waiting.length && !outbox.isFull && !outbox.isClosed) {
      const group = this.#waiting[next]!;
      // The engine has given it up while it waited for room, and owes it again.
      if (group.deadlineAtMs > clock.monotonicMs()) this.#sendFrame(group, this.#id);
      else group.giveBack(RELEASED);
      if (group.isHandedOver) next++;
    }
    this.#waiting = this.#waiting.slice(next);
    if (this.#waiting.length > 0) this.#awaitRoom();
  }

  #giveBack(isDue: (group: DeliveryGroup) => boolean): void {
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((group) => !isDue(group));
    for (const group of due) group.giveBack(RELEASED);
  }

  /** They wait in the order of their deadlines. */
  #awaitDeadline(): void {
    const [first] = this.#waiting;
    if (this.#cancelDeadline || !first) return;
    const { clock, timers } = this.#options;
    const { deadlineAtMs } = first;
    const leftMs = Math.max(0, deadlineAtMs - clock.monotonicMs());
    const leadMs = Math.min(MARGIN_MS, leftMs / 2);
    this.#cancelDeadline = timers.after(leftMs - leadMs, () => {
      this.#cancelDeadline = undefined;
      // With those that are next, so that each of them has its margin, too.
      this.#giveBack((group) => group.deadlineAtMs <= deadlineAtMs + leadMs);
      this.#awaitDeadline();
    });
  }

  #awaitRoom(): void {
    this.#awaitDeadline();
    if (this.#isAwaitingRoom) return;
    this.#isAwaitingRoom = true;
    void this.#options.outbox.drained().then((isFree) => {
      this.#isAwaitingRoom = false;
      if (isFree) this.#write();
    });
  }

  /** Sends as much of a batch as one frame holds, and one delivery at the least. */
  #sendFrame(group: DeliveryGroup, id: string): void {
    const { outbox, deliveries, member } = this.#options;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    while (!group.isHandedOver) {
      const { record, attempt, replay, life } = group.upcoming;
      if (parts.length > 0 && bytes + record.body.length > FRAME_BYTES_MAX) break;
      const before = parts.length === 0 ? `{"type":"delivery",${addressed(id, member)},"deliveries":[` : ',';
      const number = deliveries.add(group, group.handOver());
      const cursor = encodeCursor([record.place]);
      const marks = replayField(replay) + lifeField(life);
      const head = `${before}{"delivery":${number},"attempt":${attempt},${marks}"cursor":"${cursor}","event":`;
      parts.push(Buffer.from(head), record.body, Buffer.from('}'));
      bytes += record.body.length;
    }
    parts.push(Buffer.from(']}'));
    outbox.send(Buffer.concat(parts));
  }
}

/** With the comma behind it; nothing for the first life. */
function lifeField(life: string | undefined): string {
  return life === undefined ? '' : `"life":"${life}",`;
}

/** The fields of a frame that say whom it is for. */
export function addressed(subscription: string, member: string | undefined): string {
  return member === undefined
    ? `"subscription":"${subscription}"`
    : `"subscription":"${subscription}","member":"${member}"`;
}
