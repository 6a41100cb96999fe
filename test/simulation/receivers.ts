import { createHash } from 'node:crypto';
import {
  type AttemptError,
  callingAttempt,
  decodeEvent,
  type Event,
  type EventHandler,
  type LeasedDelivery,
  type Outcome,
  type Sink,
} from '@event-manager/core';
import type { HistoryEntry, SeededChance, VirtualTime } from '@event-manager/testing';
import type { SubscriptionPlan } from './plan.ts';
import { readLife, type SeenAnswer, type SeenDelivery } from './seen-delivery.ts';

const ERROR: AttemptError = { code: 'simulated', message: 'The simulated receiver failed.' };
const ANSWER_MS_MAX = 40;

interface Received {
  readonly event: Event;
  readonly attempt: number;
  readonly life?: string | undefined;
}

/** Between a process and a receiver: a dead process hears nothing, a sleeping one when it wakes up. */
export interface Way {
  readonly isAlive: boolean;
  readonly awakes: Promise<void> | undefined;
  /** The process has heard that the receiver is lost: what it had comes back at once. */
  readonly lost?: Promise<void>;
  /** The process was dead or asleep at some time of these, or a letter of it stood on its way: whoever waits for its answer may wait in vain. */
  wasStill(fromMs: number, toMs: number): boolean;
}

/** Called when an attempt begins; `decidedBy` is the process that handed it to this one, where it was another. */
export type OnDelivery = (events: readonly Event[], decidedBy: string | undefined) => void;

/** What becomes of an answer; where the process that was to take it did not say, nobody knows. */
export type Fate = 'taken' | 'stale' | 'unknown';

/** How a consumer answers. */
export interface Answers {
  ack(token: string): Promise<Fate>;
  nack(token: string, retry: boolean): Promise<Fate>;
  extend(token: string): Promise<Fate>;
}

/** Of a payload, as publishers and receivers compute it. */
export function digestOf(payload: unknown): string {
  return createHash('sha256').update(JSON.stringify(payload)).digest('hex').slice(0, 16);
}

/** The other end of a subscription. It lives outside the simulated processes and remembers what reached it. */
export class Receiver {
  readonly plan: SubscriptionPlan;
  isHealed = false;
  readonly #attempts = new Map<string, { readonly way: Way; readonly atMs: number }[]>();
  /** How it answered to what was replayed to it, by the run and then by the event: no part of what it was owed. */
  readonly replayed = new Map<string, Map<string, string[]>>();
  /** What it was told and cannot be. */
  readonly wrong: string[] = [];
  readonly #time: VirtualTime;
  readonly #chance: SeededChance;
  readonly #history: HistoryEntry[];
  readonly #note: (what: string) => void;
  #calls = 0;

  constructor(options: {
    plan: SubscriptionPlan;
    time: VirtualTime;
    chance: SeededChance;
    history: HistoryEntry[];
    note: (what: string) => void;
  }) {
    this.plan = options.plan;
    this.#time = options.time;
    this.#chance = options.chance;
    this.#history = options.history;
    this.#note = options.note;
  }

  /** The way of one process to this receiver. A dead process reaches nobody and hears nothing. */
  sink(way: Way, onDelivery: OnDelivery): Sink {
    return {
      deliver: async (batch, options) => {
        const received = batch.map(({ record, attempt, life }) => ({ event: decodeEvent(record.body), attempt, life }));
        if (!batch[0]!.replay) {
          onDelivery(
            received.map(({ event }) => event),
            deciderOf(options),
          );
        }
        const { replay } = batch[0]!;
        const outcome = await (replay ? this.#replayed(received, way, replay.id) : this.#receive(received, way));
        return batch.map(() => outcome);
      },
      close: async () => {},
    };
  }

  /** The attempts of an event that whoever handed them over may have taken for too slow, since a process stood still meanwhile. */
  cuts(id: string): number {
    const attempts = this.#attempts.get(id) ?? [];
    return attempts.filter(({ way, atMs }) => way.wasStill(atMs, atMs + this.plan.timeoutMs)).length;
  }

  /** The same for a function of the process. */
  handler(way: Way, onDelivery: OnDelivery): EventHandler {
    return async (event, { attempt, replay, life }) => {
      const received = [{ event, attempt, life }];
      if (!replay) onDelivery([event], deciderOf(callingAttempt()));
      const outcome = await (replay ? this.#replayed(received, way, replay.id) : this.#receive(received, way));
      if (outcome.status === 'delivered') return { success: true };
      return { success: false, retry: outcome.status !== 'reject', error: ERROR.message };
    };
  }

  /** The same for a delivery that was pulled: it is taken when the answer to it was in time, which the judge hears as far as anybody does. */
  async pulled({ token, attempt, replay, life, record }: LeasedDelivery, way: Way, answers: Answers): Promise<void> {
    const event = decodeEvent(record.body);
    if (replay) {
      const outcome = await this.#receiveReplay([{ event, attempt }], way, replay.id);
      // The consumer outlives the process that it asked, and asks another one.
      if (!outcome) return;
      await (outcome.status === 'delivered' ? answers.ack(token) : answers.nack(token, false));
      return;
    }
    const kind = this.isHealed ? 'ok' : this.#draw();
    const received = { event, attempt, life };
    this.#remember([received], kind, true);
    const delayMs = this.#chance.fraction() * ANSWER_MS_MAX;
    await this.#time.wait(kind === 'late' ? this.plan.timeoutMs + 1 + delayMs : delayMs);
    await way.awakes;
    if (!way.isAlive || kind === 'hang') return;
    if (kind === 'busy') await answers.extend(token);
    if (kind === 'fail' || kind === 'unreached') await answers.nack(token, true);
    else if (kind === 'reject') await answers.nack(token, false);
    else {
      // It takes effect before the answer is here, and perhaps without one.
      this.#answered('maybe-ack', received);
      const fate = await answers.ack(token);
      if (fate !== 'unknown') this.#answered(fate === 'taken' ? 'ack' : 'stale', received);
      if (fate === 'taken' && kind === 'late') this.wrong.push(`C8 ${event.id} was acknowledged after its lease`);
    }
  }

  #answered(kind: SeenAnswer['kind'], { event: { id }, attempt, life }: Received): void {
    const { name: subscription } = this.plan;
    this.#note(`${kind} ${subscription} ${id} ${attempt}`);
    const answer: SeenAnswer = { kind, subscription, id, attempt, ...readLife(life) };
    this.#history.push(answer);
  }

  #remember(batch: readonly Received[], kind: string, failed: boolean): void {
    const { name: subscription } = this.plan;
    const at = { atMs: this.#time.monotonicMs(), call: ++this.#calls };
    for (const { event, attempt, life } of batch) {
      this.#note(`deliver ${subscription} ${event.id} ${attempt} ${kind}`);
      const digest = digestOf(event.payload);
      const what = { kind: 'deliver', subscription, id: event.id, attempt, digest, failed, ...at } as const;
      const delivery: SeenDelivery = { ...what, ...readLife(life), answer: kind };
      this.#history.push(delivery);
    }
  }

  #receive(batch: readonly Received[], way: Way): Promise<Outcome> {
    if (!way.isAlive) return new Promise(() => {});
    const delayMs = this.#chance.fraction() * ANSWER_MS_MAX;
    const kind = this.isHealed ? 'ok' : this.#draw();
    const outcome = outcomeOf(kind);
    // An answer after the time is up does not count, whatever it says.
    const failed = outcome?.status !== 'delivered' || kind === 'late';
    this.#remember(batch, kind, failed);
    const atMs = this.#time.monotonicMs();
    // Too slow in any case where it means to be.
    const isSlow = kind === 'hang' || kind === 'late';
    for (const { event } of isSlow ? [] : batch) {
      this.#attempts.set(event.id, [...(this.#attempts.get(event.id) ?? []), { way, atMs }]);
    }
    return new Promise((resolve) => {
      void way.lost?.then(() => resolve({ status: 'release' }));
      if (!outcome) return;
      const waitMs = kind === 'late' ? this.plan.timeoutMs + 1 + delayMs : delayMs;
      this.#time.after(waitMs, () => {
        if (!way.isAlive) return;
        if (way.awakes) void way.awakes.then(() => way.isAlive && resolve(outcome));
        else resolve(outcome);
      });
    });
  }

  /** A dead process hears nothing. */
  async #replayed(batch: readonly Received[], way: Way, run: string): Promise<Outcome> {
    return (await this.#receiveReplay(batch, way, run)) ?? new Promise(() => {});
  }

  /** It takes nearly everything, and refuses the rest for good; `undefined` when the process died before there was an answer. */
  async #receiveReplay(batch: readonly Received[], way: Way, run: string): Promise<Outcome | undefined> {
    if (!way.isAlive) return undefined;
    const chance = this.#chance.fork(`${run} ${batch[0]!.event.id} ${batch[0]!.attempt}`);
    const kind = chance.happens(0.05) ? 'reject' : 'ok';
    const replayed = this.replayed.get(run) ?? new Map<string, string[]>();
    this.replayed.set(run, replayed);
    for (const { event, attempt } of batch) {
      this.#note(`replay ${this.plan.name} ${event.id} ${attempt} ${kind}`);
      replayed.set(event.id, [...(replayed.get(event.id) ?? []), kind]);
    }
    await this.#time.wait(chance.fraction() * ANSWER_MS_MAX);
    await way.awakes;
    return way.isAlive ? outcomeOf(kind) : undefined;
  }

  #draw(): string {
    const { fails, hangs, answersLate, busy, rejects, traits } = this.plan;
    const usual = { fail: fails, hang: hangs, late: answersLate, busy, reject: rejects };
    const shares: Record<string, number> = Object.assign(usual, ...answersOf(traits));
    let point = this.#chance.fraction();
    for (const [kind, share] of Object.entries(shares)) {
      if (point < share) return kind;
      point -= share;
    }
    return 'ok';
  }
}

function answersOf(traits: SubscriptionPlan['traits']): readonly Readonly<Record<string, number>>[] {
  return Object.values(traits).map(({ answers = {} }) => answers);
}

/** A call that another process handed over says by whom. */
function deciderOf(options: unknown): string | undefined {
  return (options as { readonly owner?: { readonly name: string } } | undefined)?.owner?.name;
}

/** `undefined`: it never answers. */
function outcomeOf(kind: string): Outcome | undefined {
  if (kind === 'hang') return undefined;
  if (kind === 'fail') return { status: 'retry', error: ERROR };
  if (kind === 'unreached') return { status: 'retry', error: ERROR, unreached: true };
  if (kind === 'busy') return { status: 'busy', afterMs: 500 };
  if (kind === 'gone') return { status: 'gone', error: ERROR };
  if (kind === 'reject') return { status: 'reject', error: ERROR };
  return { status: 'delivered' };
}
