/**
 * What a test can have go wrong between an engine and the store that it keeps everything in.
 *
 *     well ──fail, fill, delay, loseAnswers──▶ faulty ──so many times, or restore──▶ well
 *
 * A fault stays for `times` calls, or until `restore`. `fail` and `fill` refuse before anything happened; `loseAnswers` refuses
 * after it happened, as a network does that breaks at the wrong moment; `delay` is about every call, refused or not.
 */
import { EventManagerError, type Timers } from '@event-manager/core';

/** `append`: of events; `commit`: of state, leases among it; `read`: of either. */
export type StoreCall = 'append' | 'commit' | 'read';

export interface StoreFaultOptions {
  /** Which calls. Default: `append` and `commit`. */
  readonly of?: StoreCall | readonly StoreCall[] | undefined;
  /** How many of them. Default: all until `restore`. */
  readonly times?: number | undefined;
}

type FaultKind = 'fail' | 'fill' | 'lose-answer';

interface Fault {
  readonly kind: FaultKind;
  readonly of: readonly StoreCall[];
  left: number;
}

const WRITES: readonly StoreCall[] = ['append', 'commit'];
const CALLS: readonly StoreCall[] = ['append', 'commit', 'read'];

export class StoreFaults {
  readonly #timers: Timers;
  #faults: Fault[] = [];
  /** Told of each call that took effect and was answered with a failure: what the store has is not what its user thinks. */
  readonly #unheard = new Set<() => void>();
  /** The last call of each kind that waits: the next one does not overtake it, also when that need not wait. */
  readonly #waiting = new Map<StoreCall, Promise<unknown>>();
  #delayMs = 0;
  #delayed: readonly StoreCall[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** The store is away: `store_unavailable`, and nothing happened. */
  fail(options?: StoreFaultOptions): void {
    this.#add('fail', options);
  }

  /** The disk is full: `disk_full`, and nothing happened. */
  fill(options?: StoreFaultOptions): void {
    this.#add('fill', options);
  }

  /** The store does what it is asked, and its answer is lost: whoever asked hears `store_unavailable`. */
  loseAnswers(options?: StoreFaultOptions): void {
    this.#add('lose-answer', options);
  }

  /** Every call takes so long, until `restore`. */
  delay(delayMs: number, { of = CALLS }: Pick<StoreFaultOptions, 'of'> = {}): void {
    this.#delayMs = delayMs;
    this.#delayed = [of].flat();
  }

  /** The store is well again. */
  restore(): void {
    this.#faults = [];
    this.#delayMs = 0;
  }

  /** What is wrong with it now, as its health says it. */
  get status(): 'ok' | 'slow' | 'full' | 'unavailable' {
    const kinds = this.#faults.map(({ kind }) => kind);
    if (kinds.includes('fail') || kinds.includes('lose-answer')) return 'unavailable';
    if (kinds.includes('fill')) return 'full';
    return this.#delayMs > 0 ? 'slow' : 'ok';
  }

  /** Makes one call, with what is wrong at its beginning. */
  async call<Answer>(call: StoreCall, make: () => Promise<Answer>): Promise<Answer> {
    const kind = this.#take(call);
    await this.#turn(call);
    if (kind === 'fail') throw unavailable('The store is away.');
    if (kind === 'fill') throw new EventManagerError('disk_full', 'The disk is full.');
    const answer = await make();
    if (kind !== 'lose-answer') return answer;
    for (const tell of this.#unheard) this.#timers.soon(tell);
    throw unavailable('The answer of the store was lost.');
  }

  /** Calls it after each lost answer. Returns what ends that. */
  onLostAnswer(tell: () => void): () => void {
    this.#unheard.add(tell);
    return () => void this.#unheard.delete(tell);
  }

  #add(kind: FaultKind, { of = WRITES, times = Number.POSITIVE_INFINITY }: StoreFaultOptions = {}): void {
    if (!(times >= 1)) throw new TypeError(`times of a fault is a number from 1 on, not ${times}.`);
    this.#faults.push({ kind, of: [of].flat(), left: times });
  }

  /** Stores keep calls in their order. */
  async #turn(call: StoreCall): Promise<void> {
    const before = this.#waiting.get(call);
    const isDelayed = this.#delayMs > 0 && this.#delayed.includes(call);
    if (!before && !isDelayed) return;
    const turn = Promise.all([before, isDelayed ? this.#wait(this.#delayMs) : undefined]);
    this.#waiting.set(call, turn);
    await turn;
    if (this.#waiting.get(call) === turn) this.#waiting.delete(call);
  }

  #take(call: StoreCall): FaultKind | undefined {
    const fault = this.#faults.find(({ of }) => of.includes(call));
    if (fault && --fault.left === 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault?.kind;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#timers.after(delayMs, resolve, true));
  }
}

function unavailable(words: string): EventManagerError {
  return new EventManagerError('store_unavailable', words);
}
