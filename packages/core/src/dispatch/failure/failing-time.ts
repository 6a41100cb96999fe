/**
 * Measures for how long a receiver has done nothing but fail, so that nobody calls a dead address for ever.
 *
 *     well ──failure──▶ failing ──failure, half of the time over──▶ warned ──failure, all of it over──▶ over
 *       ▲                  │                                          │                                  │
 *       └──────────────────┴── a delivery is taken, or somebody resumes the subscription ────────────────┘
 *
 * The time is a sum of waits between failures on the monotonic clock, kept with the progress: a wall clock that jumps, and the
 * time for which nobody delivered, cannot end it early. One wait counts for half of the whole at the most: two failures of
 * a subscription that has nothing to deliver in between are no outage.
 */
import { foreignEventId } from '../../event/foreign-event-id.ts';
import type { JsonObject } from '../../json.ts';

export class FailingTime {
  /** When the first of the failures came, wall clock; 0 while all is well. */
  sinceWallMs = 0;
  /** For how long it has failed. */
  forMs = 0;
  /** Names the address without telling it: another one begins anew. */
  readonly of: string;
  readonly #limitMs: number;
  #told: 'nothing' | 'half' | 'all' = 'nothing';
  #lastAtMs: number | undefined;

  /** `limitMs` 0 is never over. `kept` is what `toJson` gave an earlier process. */
  constructor(limitMs: number, address: string, kept?: JsonObject) {
    this.#limitMs = limitMs;
    this.of = foreignEventId('event-manager/receiver', address);
    if (kept?.['of'] !== this.of) return;
    this.sinceWallMs = kept['since'] as number;
    this.forMs = kept['for'] as number;
    if (kept['warned'] === true) this.#told = 'half';
  }

  get limitMs(): number {
    return this.#limitMs;
  }

  get isFailing(): boolean {
    return this.sinceWallMs !== 0;
  }

  /** Says once when half of the time is over and once when all of it is. */
  failed(nowMs: number, wallMs: number): 'half' | 'all' | undefined {
    if (!this.isFailing) this.sinceWallMs = wallMs;
    if (this.#lastAtMs !== undefined) this.forMs += Math.min(nowMs - this.#lastAtMs, this.#limitMs / 2);
    this.#lastAtMs = nowMs;
    if (this.#limitMs === 0 || this.#told === 'all') return undefined;
    if (this.forMs >= this.#limitMs) this.#told = 'all';
    else if (this.forMs >= this.#limitMs / 2 && this.#told === 'nothing') this.#told = 'half';
    else return undefined;
    return this.#told;
  }

  /** All is well: the time begins anew with the next failure. */
  end(): void {
    this.sinceWallMs = 0;
    this.forMs = 0;
    this.#told = 'nothing';
    this.#lastAtMs = undefined;
  }

  toJson(): JsonObject {
    return { of: this.of, since: this.sinceWallMs, for: this.forMs, warned: this.#told !== 'nothing' };
  }
}
