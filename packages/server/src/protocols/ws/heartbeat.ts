/** More pings between two looks, about a second apart, are no sign of life but a flood. */
const PINGS_MAX = 100;

/**
 * Finds a peer that is gone without a goodbye: half of a broken connection would stay open for hours.
 *
 *     heard ──silent for an interval──▶ asked ──heard──▶ heard
 *                                         └──silent for another interval──▶ gone
 *
 * That something was heard is only noted; when, the next look decides: so a frame does not cost a look at the clock.
 */
export class Heartbeat {
  readonly #ping: () => void;
  readonly #intervalMs: number;
  #hasHeard = false;
  #sinceMs: number;
  #lookedAtMs: number;
  #isAsked = false;
  #pings = 0;

  constructor(ping: () => void, intervalMs: number, nowMs: number) {
    this.#ping = ping;
    this.#intervalMs = intervalMs;
    this.#sinceMs = nowMs;
    this.#lookedAtMs = nowMs;
  }

  heard(): void {
    this.#hasHeard = true;
  }

  /** The peer sent a ping. False when it does so too often. */
  pinged(): boolean {
    this.#hasHeard = true;
    return ++this.#pings <= PINGS_MAX;
  }

  /**
   * False when the peer is gone. While something waits for it (`isFull`) a ping would wait behind that, and whether it is
   * taken is judged elsewhere: the silence counts from then on.
   */
  tick(nowMs: number, isFull: boolean): boolean {
    // Rather a look too early than one too late.
    const untilNextMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    this.#pings = 0;
    if (this.#hasHeard || isFull) {
      this.#hasHeard = false;
      this.#isAsked = false;
      this.#sinceMs = nowMs;
      return true;
    }
    if (nowMs + untilNextMs - this.#sinceMs <= this.#intervalMs) return true;
    if (this.#isAsked) return false;
    this.#isAsked = true;
    this.#sinceMs = nowMs;
    this.#ping();
    return true;
  }
}
