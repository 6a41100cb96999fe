/**
 * Delivers over a WebSocket that we dial, in the frames of `docs/protocol.md`: the receiver acknowledges each delivery.
 *
 * At most `bufferSize` deliveries are here, sent or waiting for a connection; what is beyond them stays in the store.
 *
 *     handed over ──open, and not too much unsent──▶ sent ──ack, nack, release──▶ answered
 *          │                                          └──connection lost──▶ released
 *          └──no connection──▶ buffered ──opened──▶ sent
 *                                 └──hope is gone, or its time nearly over──▶ released
 *
 * Released costs no failure: the engine owes it at once, here or on another way. So a delivery is never in two hands unless
 * the connection was lost after the receiver had it and before its answer came; then it comes again with a higher attempt.
 * One that the receiver ended over a frame too large for it would be lost over the same event for ever: that one has failed.
 */
import type { DeliverOptions, Delivery, Outcome, RealtimeState, Runtime, Sink } from '@event-manager/core';
import { DeliveryGroup } from './delivery-group.ts';
import { deliveryFrame } from './frames/delivery-frame.ts';
import { readAnswer } from './frames/read-answer.ts';
import { Link, type LinkOptions } from './link/link.ts';
import { Outflow } from './link/outflow.ts';
import { UnderWay } from './under-way.ts';

const LOOK_EVERY_MS = 1_000;
/** More pings between two looks are no sign of life but a flood. */
const PINGS_MAX = 100;
const PONG = Buffer.from('{"type":"pong"}');
const UNREADABLE_MAX = 10;
/** A buffered delivery goes back so long before the engine would count it as failed, or half of its time where that is less. */
const MARGIN_MS = 50;
/** RFC 6455, section 7.4.1: a frame was larger than the peer takes. */
const TOO_LARGE = 1_009;

export interface WebSocketSinkOptions {
  readonly dial: LinkOptions['dial'];
  /** The first frame of each connection. */
  readonly hello: string;
  readonly heartbeatMs: number;
  readonly reconnectAttempts: number;
  readonly bufferSize: number;
  readonly runtime: Runtime;
}

export class WebSocketSink implements Sink {
  readonly #options: WebSocketSinkOptions;
  readonly #link: Link;
  readonly #underWay = new UnderWay();
  #buffered: DeliveryGroup[] = [];
  #bufferedCount = 0;
  /** Of the present connection. */
  #outflow: Outflow;
  #pings = 0;
  #unreadable = 0;
  #cancelLook: () => void = () => {};
  #cancelDeadline: (() => void) | undefined;
  #onChange: () => void = () => {};
  #isClosed = false;

  constructor(options: WebSocketSinkOptions) {
    this.#options = options;
    this.#outflow = new Outflow(options.runtime.clock);
    const { dial, heartbeatMs, reconnectAttempts, runtime } = options;
    this.#link = new Link({
      dial,
      heartbeatMs,
      reconnectAttempts,
      runtime,
      onOpen: () => this.#opened(),
      onFrame: (data) => this.#took(data),
      onLost: (closedWith) => this.#lost(closedWith),
      onTurn: () => this.#turned(),
      onPing: () => this.#pinged(),
    });
    this.#link.start();
  }

  get isUp(): boolean {
    return this.#link.isUp && !this.#isClosed;
  }

  get room(): number {
    return Math.max(0, this.#options.bufferSize - this.#underWay.size - this.#bufferedCount);
  }

  get realtime(): RealtimeState {
    const { isOpen: connected, lastError } = this.#link;
    return { connected, way: 'realtime', switches: 0, ...(lastError === undefined ? {} : { lastError }) };
  }

  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  deliver(batch: readonly Delivery[], options: DeliverOptions): Promise<readonly Outcome[]> {
    if (!this.isUp) return Promise.resolve(batch.map(() => ({ status: 'release' })));
    return new Promise((resolve) => {
      const group = new DeliveryGroup(batch, options, resolve);
      this.#buffered.push(group);
      this.#bufferedCount += batch.length;
      this.#flush();
    });
  }

  /** What was not answered is released. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelLook();
    this.#cancelDeadline?.();
    this.#link.close();
    this.#giveBack(() => true);
    this.#underWay.release();
    this.#onChange = () => {};
  }

  #opened(): void {
    this.#outflow = new Outflow(this.#options.runtime.clock);
    this.#pings = 0;
    this.#unreadable = 0;
    this.#link.send(this.#options.hello);
    this.#look();
    this.#flush();
    this.#onChange();
  }

  #lost(closedWith: number | undefined): void {
    this.#cancelLook();
    if (closedWith === TOO_LARGE) this.#underWay.refuseLargest();
    this.#underWay.release();
    this.#awaitDeadline();
    this.#onChange();
  }

  #turned(): void {
    if (!this.#link.isUp) this.#giveBack(() => true);
    this.#onChange();
  }

  #took(data: Buffer): void {
    const answer = readAnswer(data);
    if (answer === undefined) {
      if (++this.#unreadable >= UNREADABLE_MAX) this.#cut('invalid_frame', 'The receiver sends what is no answer.');
    } else if (answer.type === 'ping') {
      // Counted with what is on its way: pongs that nobody reads would gather.
      if (this.#pinged()) this.#send(PONG);
    } else if (this.#underWay.take(answer) > 0) {
      this.#link.useful();
      this.#onChange();
    }
  }

  /** False when it was one too many. */
  #pinged(): boolean {
    if (++this.#pings <= PINGS_MAX) return true;
    this.#cut('ping_flood', 'The receiver sends more than a hundred pings a second.');
    return false;
  }

  #flush(): void {
    while (this.#link.isOpen && !this.#outflow.isFull && this.#buffered.length > 0) {
      const group = this.#buffered[0]!;
      const from = group.next;
      const frame = deliveryFrame(group, (sent) => this.#underWay.add(sent));
      this.#bufferedCount -= group.next - from;
      if (group.isSent) this.#buffered.shift();
      this.#send(frame);
    }
    if (this.#buffered.length > 0) this.#awaitDeadline();
  }

  #send(frame: Uint8Array): void {
    const outflow = this.#outflow;
    outflow.added(frame.length);
    this.#link.send(frame, () => {
      outflow.left(frame.length);
      if (this.#buffered.length > 0 && outflow === this.#outflow) this.#flush();
    });
  }

  /** The engine would take it for a failure of the receiver that a delivery waited here until its time was over. */
  #awaitDeadline(): void {
    if (this.#cancelDeadline || this.#buffered.length === 0) return;
    const { clock, timers } = this.#options.runtime;
    const firstMs = Math.min(...this.#buffered.map(({ deadlineAtMs }) => deadlineAtMs));
    const leftMs = Math.max(0, firstMs - clock.monotonicMs());
    const leadMs = Math.min(MARGIN_MS, leftMs / 2);
    this.#cancelDeadline = timers.after(leftMs - leadMs, () => {
      this.#cancelDeadline = undefined;
      // With those that are next, so that each of them has its margin, too.
      this.#giveBack(({ deadlineAtMs }) => deadlineAtMs <= firstMs + leadMs);
      this.#awaitDeadline();
    });
  }

  #giveBack(isDue: (group: DeliveryGroup) => boolean): void {
    const given = this.#buffered.filter(isDue);
    this.#buffered = this.#buffered.filter((group) => !given.includes(group));
    for (const group of given) this.#bufferedCount -= group.giveBack();
    if (given.length > 0) this.#onChange();
  }

  #look(): void {
    const { clock, timers } = this.#options.runtime;
    this.#cancelLook = timers.after(LOOK_EVERY_MS, () => {
      this.#pings = 0;
      this.#underWay.sweep(clock.monotonicMs());
      if (this.#outflow.isStalled) this.#cut('stalled', 'The receiver takes nothing.');
      else this.#look();
    });
  }

  #cut(code: string, message: string): void {
    this.#link.cut({ code, message });
  }
}
