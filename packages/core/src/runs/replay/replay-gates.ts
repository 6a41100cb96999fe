/**
 * What holds a replay back so that live traffic does not feel it, and what keeps its speed.
 *
 * It has a quarter of the calls that its subscription may have under way, and begins none while a live delivery waits. Where
 * that is less than one call it has one, and leaves the receiver alone afterwards for three times as long as that took, if
 * there was live traffic in the last ten seconds.
 */
import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';
import type { ClaimedDelivery } from '../../dispatch/claim.ts';
import type { Gate } from '../../dispatch/gate.ts';
import { FullerBatch } from '../../dispatch/pace/fuller-batch.ts';
import type { ReplaySpeed } from './replay-request.ts';

const WEIGHT = 1 / 4;
const LIVE_WITHIN_MS = 10_000;
/** What was not used of a rate is kept for so long. */
const BURST_MS = 100;
const UNHELD = Number.POSITIVE_INFINITY;

/** Closed while somebody paused the run. */
export class RunGate implements Gate {
  readonly opensAtMs = UNHELD;
  isOpen = true;

  room(): number {
    return this.isOpen ? UNHELD : 0;
  }
}

/** Behind the live deliveries of the subscription that it shares the way out with. */
export class BehindLive implements Gate {
  opensAtMs = UNHELD;
  readonly #live: ActiveSubscription;
  readonly #slotsTaken: () => number;
  #beganAtMs: number | undefined;
  #restUntilMs = 0;

  constructor(live: ActiveSubscription, slotsTaken: () => number) {
    this.#live = live;
    this.#slotsTaken = slotsTaken;
  }

  room(nowMs: number): number {
    const live = this.#live;
    this.opensAtMs = UNHELD;
    const isServed = live.isServing && !live.isYielding && live.definition.state === 'active' && live.width > 0;
    if (!isServed || waits(live) || live.concurrencyLeft <= 0) return 0;
    const calls = live.definition.options.maxConcurrency * live.width * WEIGHT;
    if (live.slotsLent >= Math.max(1, Math.floor(calls))) return 0;
    return calls < 1 && this.#rests(nowMs) ? 0 : UNHELD;
  }

  claimed(_count: number, nowMs: number): void {
    this.#beganAtMs ??= nowMs;
  }

  #rests(nowMs: number): boolean {
    if (this.#beganAtMs !== undefined && this.#slotsTaken() === 0) {
      this.#restUntilMs = nowMs + (nowMs - this.#beganAtMs) * (1 / WEIGHT - 1);
      this.#beganAtMs = undefined;
    }
    const { progressAtMs } = this.#live;
    if (this.#restUntilMs <= nowMs || progressAtMs === 0 || nowMs - progressAtMs > LIVE_WITHIN_MS) return false;
    this.opensAtMs = this.#restUntilMs;
    return true;
  }
}

/** A live delivery could begin if it had its turn. One that waits for its retry does not. */
function waits({ queue }: ActiveSubscription): boolean {
  return queue.hasReady || (queue.unseenCount > 0 && !queue.isSaturated);
}

/** The gates of a subscription, as they hold for its replay: all but the one that fills its batches. */
export class SharedGates implements Gate {
  opensAtMs = UNHELD;
  readonly #gates: readonly Gate[];

  constructor({ gates }: ActiveSubscription) {
    this.#gates = gates.filter((gate) => !(gate instanceof FullerBatch));
  }

  room(nowMs: number): number {
    let room = UNHELD;
    for (const gate of this.#gates) {
      room = Math.min(room, gate.room(nowMs));
      this.opensAtMs = gate.opensAtMs;
      if (room <= 0) return 0;
    }
    return room;
  }

  claimed(count: number, nowMs: number, batch: readonly ClaimedDelivery[]): void {
    for (const gate of this.#gates) gate.claimed?.(count, nowMs, batch);
  }

  begun(count: number): void {
    for (const gate of this.#gates) gate.begun?.(count);
  }
}

/** So many events a second. */
export class SteadySpeed implements Gate {
  opensAtMs = 0;
  readonly #everyMs: number;

  constructor(perSecond: number) {
    this.#everyMs = 1_000 / perSecond;
  }

  room(nowMs: number): number {
    if (nowMs < this.opensAtMs) return 0;
    const unusedMs = Math.min(BURST_MS, nowMs - this.opensAtMs);
    return 1 + Math.floor(unusedMs / this.#everyMs);
  }

  claimed(count: number, nowMs: number): void {
    this.opensAtMs = Math.max(this.opensAtMs, nowMs - BURST_MS) + count * this.#everyMs;
  }
}

/** With the waits between events as they were recorded, from the first one that is delivered here. */
export class RecordedSpeed implements Gate {
  opensAtMs = 0;
  readonly #factor: number;
  readonly #nextRecordedAtMs: () => number | undefined;
  #start: { readonly atMs: number; readonly recordedAtMs: number } | undefined;

  constructor(factor: number, nextRecordedAtMs: () => number | undefined) {
    this.#factor = factor;
    this.#nextRecordedAtMs = nextRecordedAtMs;
  }

  /** It stood still for a while. */
  beginAnew(): void {
    this.#start = undefined;
  }

  room(nowMs: number): number {
    const recordedAtMs = this.#nextRecordedAtMs();
    if (recordedAtMs === undefined) return UNHELD;
    this.#start ??= { atMs: nowMs, recordedAtMs };
    this.opensAtMs = this.#start.atMs + (recordedAtMs - this.#start.recordedAtMs) / this.#factor;
    return this.opensAtMs <= nowMs ? 1 : 0;
  }
}

/** `undefined` where nothing but live traffic holds it back. */
export function speedGate(
  speed: ReplaySpeed,
  nextRecordedAtMs: () => number | undefined,
): SteadySpeed | RecordedSpeed | undefined {
  if (speed === 'max') return undefined;
  return 'perSecond' in speed ? new SteadySpeed(speed.perSecond) : new RecordedSpeed(speed.factor, nextRecordedAtMs);
}
