/**
 * Whose turn it is to be open, among the parts of all replays that are done in this process.
 *
 *     asked ──room──▶ open ──leave──▶ gone
 *       └──no room──▶ waiting ──others left, or had their time──▶ open
 *
 * An open part reads the log and has events in memory; a run may have a part for each of thousands of subscriptions, and open
 * all at once they took 600 MB. So few are open at a time. One that was open for a while is asked to close when others wait, and
 * stands behind them then: a receiver that is away, or a slow one, keeps nobody from his turn. Next is who waits longest among
 * those of the run that has the fewest open, so that a small replay does not wait for all of a large one.
 *
 * Nothing of this lasts: after a crash whoever serves the subscriptions asks anew.
 */
import type { Cancel } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';

export const OPEN_PARTS_MAX = 16;
/** How long a part is open while others wait. */
const OPEN_FOR_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

/** A part that wants to be open. */
export interface ReplayTurn {
  readonly runId: string;
  /** It has nothing to do for now. */
  readonly isPaused: boolean;
  begin(): void;
  /** Others wait: to be closed, and `leave` to be called, as soon as nothing is under way. May be said again. */
  giveUp(): void;
}

export class ReplayTurns {
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>;
  /** Since when, on the monotonic clock; the one that has been open for longest comes first. */
  readonly #open = new Map<ReplayTurn, number>();
  /** Who has waited for longest comes first. */
  readonly #waiting = new Set<ReplayTurn>();
  #cancel: Cancel | undefined;

  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>) {
    this.#runtime = runtime;
  }

  /** `begin` is called when it is its turn, maybe at once. Nothing happens where it is open or waits already. */
  ask(turn: ReplayTurn): void {
    if (this.#open.has(turn)) return;
    this.#waiting.add(turn);
    this.#next();
  }

  /** It is closed, or wants to be open no more. */
  leave(turn: ReplayTurn): void {
    this.#waiting.delete(turn);
    this.#open.delete(turn);
    this.#next();
  }

  isWaiting(turn: ReplayTurn): boolean {
    return this.#waiting.has(turn);
  }

  #next(): void {
    while (this.#waiting.size > 0 && this.#open.size < OPEN_PARTS_MAX) {
      const turn = this.#fairest();
      this.#waiting.delete(turn);
      this.#open.set(turn, this.#runtime.clock.monotonicMs());
      turn.begin();
    }
    if (this.#waiting.size > 0) {
      this.#cancel ??= this.#runtime.timers.after(LOOK_EVERY_MS, () => this.#look());
      return;
    }
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #fairest(): ReplayTurn {
    const openOf = new Map<string, number>();
    for (const { runId } of this.#open.keys()) openOf.set(runId, (openOf.get(runId) ?? 0) + 1);
    let fairest: ReplayTurn | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const turn of this.#waiting) {
      const open = openOf.get(turn.runId) ?? 0;
      if (open >= least) continue;
      fairest = turn;
      least = open;
    }
    return fairest!;
  }

  /** Asks as many to close as wait. */
  #look(): void {
    this.#cancel = undefined;
    const nowMs = this.#runtime.clock.monotonicMs();
    const hadTheirTime = [...this.#open].filter(([turn, sinceMs]) => turn.isPaused || nowMs - sinceMs >= OPEN_FOR_MS);
    for (const [turn] of hadTheirTime.slice(0, this.#waiting.size)) turn.giveUp();
    this.#next();
  }
}
