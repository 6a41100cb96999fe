/**
 * The deliveries of one subscription: they wait, their handler runs, their answer goes out.
 *
 *     taken ──a place is free──▶ running ──handler ended──▶ answered
 *       │                           │ no time left: aborted, answered as a failure
 *       └── connection lost: forgotten, the service sends it again
 *
 * A handler that runs when the connection is lost goes on. The service sends its event again on the next connection; that
 * delivery is answered with what the running handler says, or with what it said meanwhile, so that nothing is handled twice
 * only because an answer was lost. What was answered shortly before the loss is remembered for the same reason. (A program that
 * ends forgets it, and gets those events again with a higher attempt.) What comes as a replay, or with another `life` because it
 * was redriven or the subscription reset, somebody wants handled once more: no answer from before counts for it. Nor does one for
 * a subscription that was removed and made again under the same name, which owes its events anew.
 */
import type { DeliveryContext, Event } from '@event-manager/core';
import { type Clock, reviveEvent, type Timers } from '@event-manager/core/portable';
import type { DeliveryEntry } from '../connection/frames.ts';
import type { Answers, HandlerOutcome } from './answers.ts';
import { callHandler, type Handling } from './handling.ts';

/** After a new connection the service sends what it released within a moment; a later delivery is a new decision of somebody. */
const REMEMBERED_MS = 60_000;

/** So many connections may be lost before the service has sent again what was under way on the first of them. */
const LOSSES = 10;
/** In place of a connection: nobody waits for the answer any more. */
const RELEASED = -1;

export interface DeliveriesOptions {
  readonly answers: Answers;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly handling: Handling;
  readonly subscriptionId: () => string;
  /** Differs when the subscription was made again, whatever its id. */
  readonly making: () => string;
}

export interface DeliveryLimits {
  /** Handlers that run at once. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** Answers that are remembered: as many as the service may not have taken to heart. */
  readonly rememberedMax: number;
}

/** One delivery while it is here. */
interface Entry {
  readonly event: Event;
  readonly attempt: number;
  readonly replay: DeliveryEntry['replay'];
  readonly life: DeliveryEntry['life'];
  /** Tells it from others: an event may be replayed, or owed anew, while its delivery runs. */
  readonly key: string;
  /** Of the connection that brought it last. */
  number: number;
  connection: number;
}

/** What one call of the handler is about. */
interface Call {
  readonly entries: readonly Entry[];
  ending: AbortController | undefined;
  cancelTimeout: (() => void) | undefined;
  isOver: boolean;
}

export class Deliveries {
  readonly #options: DeliveriesOptions;
  limits: DeliveryLimits = { concurrency: 1, timeoutMs: 0, rememberedMax: 0 };
  #connection = 0;
  #waiting: (readonly Entry[])[] = [];
  readonly #calls = new Set<Call>();
  readonly #running = new Map<string, Entry>();
  /** Final outcomes of this connection, oldest first. */
  #answered = new Map<string, HandlerOutcome>();
  /** Those of earlier connections, whose deliveries may come again. */
  #remembered = new Map<string, HandlerOutcome>();
  #rememberedUntilMs = 0;
  #isStopped = false;
  #idle: (() => void) | undefined;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  take(deliveries: readonly DeliveryEntry[]): void {
    if (this.#isStopped) {
      this.#options.answers.release(deliveries.map(({ delivery }) => delivery));
      return;
    }
    if (this.#remembered.size > 0 && this.#options.clock.monotonicMs() > this.#rememberedUntilMs) {
      this.#remembered.clear();
    }
    const fresh = deliveries.filter((delivery) => !this.#isKnown(delivery)).map((delivery) => this.#entry(delivery));
    if (!this.#options.handling.batchHandler) for (const entry of fresh) this.#waiting.push([entry]);
    else if (fresh.length > 0) this.#waiting.push(fresh);
    this.#start();
  }

  /** What waits is forgotten: the service knows that it was lost. */
  lost(): void {
    this.#connection++;
    this.#waiting = [];
    for (const [id, outcome] of this.#answered) this.#remember(id, outcome);
    this.#answered = new Map();
    this.#rememberedUntilMs = Number.POSITIVE_INFINITY;
  }

  /** The next connection is there. */
  found(): void {
    this.#rememberedUntilMs = this.#options.clock.monotonicMs() + REMEMBERED_MS;
  }

  /** No handler is called any more. Resolves when the last one that runs has ended, or was told to after `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#stop();
    if (this.#calls.size === 0) return;
    const { timers } = this.#options;
    await new Promise<void>((resolve) => {
      const cancel = timers.after(drainMs, resolve, true);
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
    this.#abandon();
  }

  /** The debt ends: no handler is called any more, and what the running ones say does not matter. They are not told: one may be the caller. */
  drop(): void {
    this.#stop();
    for (const { entries } of this.#calls) this.#release(entries);
  }

  #stop(): void {
    this.#isStopped = true;
    for (const entries of this.#waiting) this.#release(entries);
    this.#waiting = [];
  }

  #abandon(): void {
    for (const call of this.#calls) {
      this.#release(call.entries);
      call.ending?.abort();
    }
  }

  #release(entries: readonly Entry[]): void {
    const present = entries.filter(({ connection }) => connection === this.#connection);
    this.#options.answers.release(present.map(({ number }) => number));
    for (const entry of present) entry.connection = RELEASED;
  }

  #isKnown(entry: DeliveryEntry): boolean {
    const { delivery: number } = entry;
    const id = this.#keyOf(entry);
    const outcome = this.#remembered.get(id);
    if (outcome) {
      this.#remembered.delete(id);
      // This answer may be lost as the one before was.
      this.#answer(id, number, outcome);
      return true;
    }
    const running = this.#running.get(id);
    if (!running) return false;
    running.number = number;
    running.connection = this.#connection;
    return true;
  }

  #keyOf({ replay, life = '', event }: DeliveryEntry): string {
    const id = event['id'] as string;
    return `${this.#options.making()}/${replay?.id ?? ''}/${life}/${id}`;
  }

  #entry(entry: DeliveryEntry): Entry {
    const { delivery: number, attempt, replay, life, event } = entry;
    return {
      number,
      attempt,
      replay,
      life,
      key: this.#keyOf(entry),
      event: reviveEvent(event),
      connection: this.#connection,
    };
  }

  #start(): void {
    while (this.#calls.size < this.limits.concurrency && this.#waiting.length > 0) this.#call(this.#waiting.shift()!);
  }

  #call(entries: readonly Entry[]): void {
    const call: Call = { entries, ending: undefined, cancelTimeout: undefined, isOver: false };
    this.#calls.add(call);
    for (const entry of entries) this.#running.set(entry.key, entry);
    const events = entries.map((entry) => entry.event);
    const contexts = entries.map((entry) => this.#context(entry, call));
    const outcome = callHandler(this.#options.handling, events, contexts);
    if (!(outcome instanceof Promise)) {
      this.#ended(call, outcome);
      return;
    }
    const { timeoutMs } = this.limits;
    call.cancelTimeout = this.#options.timers.after(timeoutMs, () => this.#timedOut(call, timeoutMs));
    outcome.then((settled) => {
      this.#ended(call, settled);
      this.#start();
    });
  }

  #context({ attempt, replay, life }: Entry, call: Call): DeliveryContext {
    return {
      subscriptionId: this.#options.subscriptionId(),
      attempt,
      ...(replay ? { replay } : {}),
      ...(life === undefined ? {} : { life }),
      get signal() {
        call.ending ??= new AbortController();
        if (call.isOver) call.ending.abort();
        return call.ending.signal;
      },
    };
  }

  #timedOut(call: Call, timeoutMs: number): void {
    const error = `No answer from the handler within ${timeoutMs} ms.`;
    this.#ended(call, { status: 'failed', retry: true, error });
    call.ending?.abort();
    this.#start();
  }

  #ended(call: Call, outcome: HandlerOutcome): void {
    if (call.isOver) return;
    call.isOver = true;
    call.cancelTimeout?.();
    this.#calls.delete(call);
    for (const { key, number, connection } of call.entries) {
      this.#running.delete(key);
      if (connection !== this.#connection) this.#remember(key, outcome);
      else this.#answer(key, number, outcome);
    }
    if (this.#calls.size === 0) this.#idle?.();
  }

  #answer(id: string, number: number, outcome: HandlerOutcome): void {
    this.#options.answers.give(number, outcome);
    if (outcome.status === 'failed' && outcome.retry) return;
    this.#answered.set(id, outcome);
    if (this.#answered.size > this.limits.rememberedMax) dropOldest(this.#answered);
  }

  #remember(id: string, outcome: HandlerOutcome): void {
    this.#remembered.set(id, outcome);
    if (this.#remembered.size > this.limits.rememberedMax * LOSSES) dropOldest(this.#remembered);
  }
}

function dropOldest(outcomes: Map<string, HandlerOutcome>): void {
  const [oldest] = outcomes.keys();
  outcomes.delete(oldest!);
}
