/**
 * Hands the deliveries of a subscription to whoever asks for them. Each one is leased:
 *
 *     asked for ──claim──▶ leased ──ack, nack──────────────▶ settled
 *                          │ ▲  └──time over, asker gone──▶ released: tried again with a higher attempt, no failure
 *                          └─┘ extend
 *
 * There is room for as much as somebody waits for, so nothing is claimed for nobody. An asker gets
 * what is there in one answer and does not wait for more; while there is nothing it waits, up to its time.
 *
 * A lease is named by a token that is used once: the beginning is drawn anew with every sink, the rest is counted. So an
 * answer that comes after its time, after a change of the subscription or from before a restart finds nothing and is told so
 * (`stale`); the delivery belongs to somebody else by then. Leases live in memory and run on the monotonic clock: a process
 * that ends takes them along, and what was leased is delivered again. An `ack` is repeated when its answer was lost on the
 * way, so the latest ones are remembered.
 */
import type { Recorded } from '../contracts/event-store.ts';
import type { DeliverOptions, Delivery, Outcome, ReplayMark, Sink } from '../contracts/sink.ts';
import type { Timetable, TimetableEntry } from '../dispatch/timetable.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** Askers that may wait at once; each holds a request. */
const ASKERS_MAX = 100;
const OVERLOADED_AFTER_MS = 1_000;
/** Of the events in one answer; the first may be larger. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** For what is owed now and has to be read from the disk, when the asker does not want to wait. */
const AT_ONCE_MS = 250;
const REMEMBERED_MAX = 4_096;
const LIFE_BYTES = 9;

export interface PullSinkOptions {
  readonly runtime: Runtime;
  /** Holds the ends of leases. */
  readonly timetable: Timetable;
  readonly leaseMs: number;
  /** Something is owed that could be claimed now. */
  readonly mayCome: () => boolean;
  /** Answers came too late. */
  readonly onStale: (count: number) => void;
  readonly onClosed: () => void;
}

export interface PullRequest {
  /** Deliveries at the most. */
  readonly max: number;
  /** How long to wait for the first one. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A delivery in the hands of an asker. */
export interface LeasedDelivery {
  readonly token: string;
  readonly attempt: number;
  readonly replay?: ReplayMark;
  /** Differs when it is owed anew, by a redrive or a reset. Absent for the first life. */
  readonly life?: string;
  readonly record: Recorded;
  /** Wall clock, milliseconds since 1970. */
  readonly leaseUntilMs: number;
}

interface Asker {
  readonly max: number;
  readonly leases: Lease[];
  bytes: number;
  readonly answer: (leases: readonly LeasedDelivery[]) => void;
  cancel: () => void;
}

interface Lease extends LeasedDelivery, TimetableEntry {
  dueAtMs: number;
  readonly options: DeliverOptions;
  readonly settle: (outcomes: readonly Outcome[]) => void;
}

export class PullSink implements Sink {
  readonly single = true;
  /** The time of a lease is kept here, because it can be extended and its end is no failure. */
  readonly keepsTime = true;
  readonly #options: PullSinkOptions;
  readonly #life: string;
  readonly #leases = new Map<string, Lease>();
  readonly #acknowledged = new Set<string>();
  #askers: Asker[] = [];
  /** Deliveries that the askers still have room for. */
  #wanted = 0;
  #serial = 0;
  #onAsked: () => void = () => {};
  isClosed = false;

  constructor(options: PullSinkOptions) {
    this.#options = options;
    const bytes = new Uint8Array(LIFE_BYTES);
    options.runtime.chance.fill(bytes);
    // In digits and letters: a shell would take a dash at the beginning for that of an option.
    this.#life = Buffer.from(bytes).toString('hex');
  }

  get askers(): number {
    return this.#askers.length;
  }

  /** As much as somebody waits for. */
  get room(): number {
    return this.#wanted;
  }

  watch(onChange: () => void): void {
    this.#onAsked = onChange;
  }

  /** Resolves with what is owed, at least one and at most `max`, or with nothing after `waitMs`. Throws `overloaded`. */
  pull({ max, waitMs, signal }: PullRequest): Promise<readonly LeasedDelivery[]> {
    if (this.isClosed || signal?.aborted) return Promise.resolve([]);
    if (this.#askers.length >= ASKERS_MAX) {
      const details = { limit: 'askers', maximum: ASKERS_MAX, retryAfterMs: OVERLOADED_AFTER_MS };
      throw new EventManagerError(
        'overloaded',
        `${ASKERS_MAX} others wait for deliveries of this subscription.`,
        details,
      );
    }
    return new Promise((resolve) => {
      const gone = () => this.#gone(asker);
      const answer = (leases: readonly LeasedDelivery[]) => {
        signal?.removeEventListener('abort', gone);
        resolve(leases);
      };
      const asker: Asker = { max, leases: [], bytes: 0, answer, cancel: () => {} };
      signal?.addEventListener('abort', gone);
      this.#askers.push(asker);
      this.#wanted += max;
      const { timers } = this.#options.runtime;
      asker.cancel = timers.after(waitMs > 0 ? waitMs : AT_ONCE_MS, () => this.#answer(asker), true);
      if (waitMs === 0) timers.soon(() => timers.soon(() => this.#answerUnlessMoreMayCome(asker)));
      this.#onAsked();
    });
  }

  deliver([delivery]: readonly Delivery[], options: DeliverOptions): readonly Outcome[] | Promise<readonly Outcome[]> {
    const [asker] = this.#askers;
    // It left while the attempt number was made durable.
    if (!asker) return [{ status: 'release' }];
    return new Promise((resolve) => this.#lease(asker, delivery!, options, resolve));
  }

  /** Those that are done. Returns the tokens that came too late. */
  ack(tokens: readonly string[]): readonly string[] {
    const unknown = new Set(this.#settle(tokens, { status: 'delivered' }));
    for (const token of tokens) if (!unknown.has(token)) this.#remember(token);
    return this.#told([...unknown].filter((token) => !this.#acknowledged.has(token)));
  }

  /** Those that failed, or are given back. Returns the tokens that came too late. */
  nack(tokens: readonly string[], outcome: Outcome): readonly string[] {
    return this.#told(this.#settle(tokens, outcome));
  }

  /** Begins the time of leases anew. Returns the tokens that came too late, and until when the others hold. */
  extend(tokens: readonly string[]): { readonly stale: readonly string[]; readonly leaseUntilMs: number } {
    const { runtime, timetable, leaseMs } = this.#options;
    const dueAtMs = runtime.clock.monotonicMs() + leaseMs;
    const stale: string[] = [];
    for (const token of new Set(tokens)) {
      const lease = this.#held(token);
      if (!lease) {
        stale.push(token);
        continue;
      }
      timetable.remove(lease);
      lease.dueAtMs = dueAtMs;
      timetable.add(lease);
    }
    return { stale: this.#told(stale), leaseUntilMs: runtime.clock.wallMs() + leaseMs };
  }

  /** Answers everybody who waits with what it has: nothing more comes from here. */
  endWaiting(): void {
    for (const asker of [...this.#askers]) this.#answer(asker);
  }

  /** Answers nothing that is leased: whoever takes a subscription out of service releases what is under way. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.endWaiting();
    for (const lease of this.#leases.values()) this.#options.timetable.remove(lease);
    this.#leases.clear();
    this.#options.onClosed();
  }

  #lease(
    asker: Asker,
    { record, attempt, replay, life }: Delivery,
    options: DeliverOptions,
    settle: (outcomes: readonly Outcome[]) => void,
  ): void {
    const { runtime, timetable, leaseMs } = this.#options;
    const token = `${this.#life}.${++this.#serial}`;
    const lease: Lease = {
      ...{ token, attempt, record, options, settle },
      ...(replay ? { replay } : {}),
      ...(life === undefined ? {} : { life }),
      leaseUntilMs: runtime.clock.wallMs() + leaseMs,
      dueAtMs: runtime.clock.monotonicMs() + leaseMs,
      due: () => {
        if (!runtime.planted.has('pull-lease-never-ends')) this.#end(lease, { status: 'release' });
      },
    };
    this.#leases.set(token, lease);
    timetable.add(lease);
    this.#wanted--;
    asker.leases.push(lease);
    asker.bytes += record.body.length;
    if (asker.leases.length >= asker.max || asker.bytes >= ANSWER_BYTES_MAX) this.#answer(asker);
    else if (asker.leases.length === 1) this.#answerWhenNothingComes(asker, 0);
  }

  /** What one run of the engine claims comes together; a turn in which nothing was added was the last of it. */
  #answerWhenNothingComes(asker: Asker, seen: number): void {
    this.#options.runtime.timers.soon(() => {
      if (asker.leases.length > seen) this.#answerWhenNothingComes(asker, asker.leases.length);
      else this.#answer(asker);
    });
  }

  #answerUnlessMoreMayCome(asker: Asker): void {
    if (asker.leases.length === 0 && !this.#options.mayCome()) this.#answer(asker);
  }

  #answer(asker: Asker): void {
    if (!this.#dismiss(asker)) return;
    // What ran out while it waited for its neighbours is somebody else's by now.
    asker.answer(asker.leases.filter(({ token }) => this.#held(token)));
  }

  #gone(asker: Asker): void {
    if (!this.#dismiss(asker)) return;
    this.#settle(
      asker.leases.map(({ token }) => token),
      { status: 'release' },
    );
    asker.answer([]);
  }

  /** False when it was answered before. */
  #dismiss(asker: Asker): boolean {
    if (!this.#askers.includes(asker)) return false;
    this.#askers = this.#askers.filter((other) => other !== asker);
    this.#wanted -= asker.max - asker.leases.length;
    asker.cancel();
    return true;
  }

  /** Returns the tokens that name no lease. */
  #settle(tokens: readonly string[], outcome: Outcome): string[] {
    const stale: string[] = [];
    for (const token of new Set(tokens)) {
      const lease = this.#held(token);
      if (!lease) {
        stale.push(token);
        continue;
      }
      this.#end(lease, outcome);
    }
    return stale;
  }

  /**
   * The engine may have given an attempt up that is leased still: then the lease is worth nothing. Nor is it when its time is
   * over and its timer late: after a long stop of the process an answer may be read before the timers run.
   */
  #held(token: string): Lease | undefined {
    const lease = this.#leases.get(token);
    if (lease === undefined) return undefined;
    if (lease.options.isUnderWay === false) this.#forget(lease);
    else if (lease.dueAtMs <= this.#options.runtime.clock.monotonicMs()) lease.due();
    return this.#leases.get(token);
  }

  #end(lease: Lease, outcome: Outcome): void {
    this.#forget(lease);
    lease.settle([outcome]);
  }

  #forget(lease: Lease): void {
    this.#leases.delete(lease.token);
    this.#options.timetable.remove(lease);
  }

  #remember(token: string): void {
    if (this.#options.runtime.planted.has('repeated-ask-done-again')) return;
    this.#acknowledged.add(token);
    if (this.#acknowledged.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#acknowledged;
    this.#acknowledged.delete(oldest!);
  }

  #told(stale: readonly string[]): readonly string[] {
    if (stale.length > 0) this.#options.onStale(stale.length);
    return stale;
  }
}
