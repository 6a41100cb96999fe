/**
 * One connection that an event manager made to us: deliveries come in, each gets its handler and its answer.
 *
 *     waiting ──a place is free──▶ handled ──▶ answered, with all others of the same turn
 *        └──connection lost, or we end──▶ forgotten: the bus delivers it again
 */
import type { EventHandler, Timers } from '@event-manager/core';
import type { RawData, WebSocket } from 'ws';
import { answerTo, type HandlerAnswerFrame } from './answer-to.ts';
import { type DeliveryEntry, readDelivery } from './read-delivery.ts';

export interface ReceivingOptions {
  readonly socket: WebSocket;
  readonly handler: EventHandler;
  readonly concurrency: number;
  readonly silentMs: number;
  readonly waitingBytesMax: number;
  readonly timers: Timers;
}

const PROTOCOL_ERROR = 1_002;
const POLICY_VIOLATION = 1_008;

interface Waiting {
  readonly subscriptionId: string;
  readonly entry: DeliveryEntry;
  /** Of its share of the frame that brought it. */
  readonly bytes: number;
}

export class Receiving {
  readonly #options: ReceivingOptions;
  readonly #ending = new AbortController();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #running = 0;
  #acknowledged: number[] = [];
  #isFlushing = false;
  #isEnding = false;
  /** Whoever waits for the handlers that run. */
  #onIdle: (() => void)[] = [];
  #isHeard = false;
  #cancelSilence: () => void = () => {};

  constructor(options: ReceivingOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on('message', (data: RawData) => this.#take(data as Buffer));
    socket.on('ping', () => {
      this.#isHeard = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#cancelSilence();
      this.#forgetWaiting();
      this.#ending.abort();
    });
    this.#watch();
  }

  /** Takes no more, gives back what waits, and ends the connection once the handlers that run have answered. */
  async end(code: number): Promise<void> {
    this.#isEnding = true;
    this.#release(this.#waiting.map(({ entry }) => entry.delivery));
    this.#forgetWaiting();
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    this.#flush();
    this.#options.socket.close(code);
  }

  #take(data: Buffer): void {
    this.#isHeard = true;
    const frame = readDelivery(data);
    if (frame === undefined) this.#options.socket.close(PROTOCOL_ERROR, 'What came is no frame of an event manager.');
    if (frame?.type !== 'delivery') return;
    if (this.#isEnding) {
      this.#release(frame.deliveries.map(({ delivery }) => delivery));
      return;
    }
    const bytes = data.length / Math.max(1, frame.deliveries.length);
    for (const entry of frame.deliveries) this.#waiting.push({ subscriptionId: frame.subscription, entry, bytes });
    this.#waitingBytes += data.length;
    this.#start();
    if (this.#waitingBytes > this.#options.waitingBytesMax) this.#cut();
  }

  #start(): void {
    while (this.#running < this.#options.concurrency && this.#waiting.length > 0) {
      const { subscriptionId, entry, bytes } = this.#waiting.shift()!;
      this.#waitingBytes -= bytes;
      this.#running++;
      const { delivery, attempt, replay, event } = entry;
      const context = { subscriptionId, attempt, ...(replay ? { replay } : {}), signal: this.#ending.signal };
      void answerTo(this.#options.handler, event, context).then((answer) => this.#answered(delivery, answer));
    }
  }

  #answered(delivery: number, answer: HandlerAnswerFrame): void {
    if (answer.type === 'ack') this.#acknowledged.push(delivery);
    else this.#send({ ...answer, deliveries: [delivery] });
    this.#running--;
    this.#start();
    this.#flushSoon();
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#options.timers.soon(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    if (this.#acknowledged.length === 0) return;
    this.#send({ type: 'ack', deliveries: this.#acknowledged });
    this.#acknowledged = [];
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Whoever sends without end does not wait for a goodbye either. */
  #cut(): void {
    const { socket, timers } = this.#options;
    this.#forgetWaiting();
    this.#isEnding = true;
    socket.close(POLICY_VIOLATION, 'Too much waits here.');
    timers.soon(() => socket.terminate());
  }

  #release(deliveries: readonly number[]): void {
    if (deliveries.length > 0) this.#send({ type: 'release', deliveries });
  }

  /** Answers to a connection that is gone go nowhere: the bus knows that they are missing. */
  #send(frame: object): void {
    this.#options.socket.send(JSON.stringify(frame), () => {});
  }

  /** A look now and then costs less than a timer for each frame; the silence that ends it is up to twice as long. */
  #watch(): void {
    const { timers, silentMs, socket } = this.#options;
    this.#isHeard = false;
    this.#cancelSilence = timers.after(silentMs, () => (this.#isHeard ? this.#watch() : socket.terminate()));
  }
}
