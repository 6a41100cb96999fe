import type { Cancel, Clock, Timers } from '@event-manager/core';
import { TimerQueue } from './timer-queue.ts';

/** Taken before any test could replace it: the turns of the real loop are what lets promise chains settle. */
const realTurn = setImmediate;

interface Background {
  readonly movesClock: boolean;
  stopped: boolean;
  wake: (() => void) | undefined;
}

/** A virtual day: far longer than any back-off, so that reaching it means something goes round in circles. */
const IDLE_LIMIT_MS = 24 * 60 * 60 * 1000;

export interface VirtualTimeOptions {
  /** Wall clock at the start, milliseconds since 1970. */
  readonly wallMs?: number;
  /** Monotonic clock at the start. Not 0 by default, because code that takes 0 for "never" would go unnoticed. */
  readonly monotonicMs?: number;
}

/**
 * A clock and timers that move only when they are driven, for code that takes all its time from `Clock` and `Timers`.
 *
 * One queue holds everything that will happen, ordered by time and then by the order of asking. Driving means: let every
 * promise chain settle, pop one entry, set the clock to its time, run it, and again. Nothing depends on how fast the
 * machine is, so the same program with the same seed runs the same way. A full turn of the real loop follows each
 * entry, since promises settle in turns and nothing tells from outside whether one is left. Real input and output is
 * not waited for: code under virtual time must not do any.
 *
 * An entry that throws ends the drive with that error.
 */
export class VirtualTime implements Clock, Timers {
  readonly #queue = new TimerQueue();
  #nowMs: number;
  #wallOffsetMs: number;
  #background: Background | undefined;
  /** Drives of the test that are under way; what runs in the background leaves the time to them. */
  #driving = 0;

  constructor(options: VirtualTimeOptions = {}) {
    this.#nowMs = options.monotonicMs ?? 1_000_000;
    this.#wallOffsetMs = (options.wallMs ?? Date.UTC(2026, 0, 1)) - this.#nowMs;
  }

  wallMs(): number {
    return Math.floor(this.#nowMs + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Cancel {
    if (!(delayMs >= 0)) throw new TypeError(`A delay is at least 0, not ${delayMs}.`);
    const cancel = this.#queue.add(this.#nowMs + delayMs, run);
    this.#wakeBackground();
    return cancel;
  }

  soon(run: () => void): void {
    this.#queue.add(this.#nowMs, run);
    this.#wakeBackground();
  }

  /** Moves the wall clock alone, as an operator or a time server would. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Resolves `delayMs` later. Somebody must drive the time meanwhile. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Timers of one simulated process: `end` makes all of them, and every later one, never fire. */
  scope(): TimerScope {
    return new TimerScope(this);
  }

  /** How many entries wait. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Runs everything that is due now, and lets every promise chain settle, without moving the clock. */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  /** Runs everything due within the next `byMs`, in order, and leaves the clock exactly there. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await this.#inForeground(async () => {
      await settlePromises();
      while (await this.#step(untilMs));
    });
    this.#nowMs = untilMs;
  }

  /** Runs until nothing is left to happen. Fails after a virtual `limitMs`: something then renews itself for ever. */
  async runUntilIdle(limitMs: number = IDLE_LIMIT_MS): Promise<void> {
    const untilMs = this.#nowMs + limitMs;
    await this.#inForeground(async () => {
      await settlePromises();
      while (await this.#step(untilMs));
    });
    if (this.#queue.size > 0) throw new RangeError(`Not idle after ${limitMs} virtual milliseconds.`);
  }

  /** Runs until `condition` holds. Fails when it does not within a virtual `limitMs` or nothing is left to happen. */
  async runUntil(condition: () => boolean, limitMs: number = IDLE_LIMIT_MS): Promise<void> {
    const untilMs = this.#nowMs + limitMs;
    await this.#inForeground(async () => {
      await settlePromises();
      while (!condition()) {
        if (await this.#step(untilMs)) continue;
        const reason =
          this.#queue.size > 0 ? `within ${limitMs} virtual milliseconds` : 'and nothing is left to happen';
        throw new RangeError(`The condition does not hold ${reason}.`);
      }
    });
  }

  /** Drives until `work` settles and gives its result: `await time.run(store.append(…))`. */
  async run<T>(work: Promise<T>, limitMs: number = IDLE_LIMIT_MS): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    work.then(mark, mark);
    await this.runUntil(() => settled, limitMs);
    return work;
  }

  /**
   * Drives whenever there is something to do, as fast as it goes, until the returned function is called. For tests that
   * know nothing about virtual time. An entry that throws becomes an unhandled rejection.
   */
  runInBackground(): () => void {
    return this.#runBehind(true);
  }

  /**
   * Does at once what is due now, and leaves the clock to the test: whoever awaits what needs no time to pass need not drive.
   * Until the returned function is called.
   */
  keepUp(): () => void {
    return this.#runBehind(false);
  }

  #runBehind(movesClock: boolean): () => void {
    if (this.#background !== undefined) throw new TypeError('Virtual time is already driven in the background.');
    const background: Background = { movesClock, stopped: false, wake: undefined };
    this.#background = background;
    void this.#drive(background);
    return () => {
      background.stopped = true;
      background.wake?.();
      this.#background = undefined;
    };
  }

  async #drive(background: Background): Promise<void> {
    while (!background.stopped) {
      await settlePromises();
      if (background.stopped || (await this.#stepBehind(background))) continue;
      await new Promise<void>((resolve) => {
        background.wake = resolve;
      });
      background.wake = undefined;
    }
  }

  async #stepBehind({ movesClock }: Background): Promise<boolean> {
    return this.#driving === 0 && this.#step(movesClock ? Number.POSITIVE_INFINITY : this.#nowMs);
  }

  async #inForeground(drive: () => Promise<void>): Promise<void> {
    this.#driving++;
    try {
      await drive();
    } finally {
      this.#driving--;
      this.#wakeBackground();
    }
  }

  #wakeBackground(): void {
    this.#background?.wake?.();
  }

  /** Runs the next entry if it is due by `untilMs`, then lets its consequences settle. */
  async #step(untilMs: number): Promise<boolean> {
    const entry = this.#queue.takeDueBy(untilMs);
    if (entry === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, entry.dueAtMs);
    entry.run();
    await settlePromises();
    return true;
  }
}

/**
 * The timers of one simulated process. A process that was killed does nothing any more, whatever it had planned; one that
 * is suspended, as by SIGSTOP, does when it is resumed everything that came due meanwhile, in that order.
 */
export class TimerScope implements Timers {
  readonly #timers: Timers;
  #ended = false;
  #suspended: (() => void)[] | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  after(delayMs: number, run: () => void): Cancel {
    if (this.#ended) return () => {};
    let isCancelled = false;
    const cancel = this.#timers.after(delayMs, () =>
      this.#run(() => {
        if (!isCancelled) run();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  soon(run: () => void): void {
    if (this.#ended) return;
    this.#timers.soon(() => this.#run(run));
  }

  end(): void {
    this.#ended = true;
  }

  suspend(): void {
    this.#suspended ??= [];
  }

  resume(): void {
    const due = this.#suspended ?? [];
    this.#suspended = undefined;
    for (const run of due) this.soon(run);
  }

  #run(run: () => void): void {
    if (this.#ended) return;
    if (this.#suspended) this.#suspended.push(run);
    else run();
  }
}

/** One turn of the real loop: all promise callbacks that can run, however long the chain, have run before it ends. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    realTurn(resolve);
  });
}
