/**
 * Where the service is in its life. One object, shared by whoever has to answer differently meanwhile.
 *
 *     starting ──▶ serving ──▶ draining ──▶ stopped
 *
 * While it drains, requests under way are finished and new ones are refused with `not_ready`; only the health routes go on.
 */
export type Phase = 'starting' | 'serving' | 'draining' | 'stopped';

const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  starting: ['serving', 'draining'],
  serving: ['draining'],
  draining: ['stopped'],
  stopped: [],
};

export class Life {
  #phase: Phase = 'starting';

  get phase(): Phase {
    return this.#phase;
  }

  enter(phase: Phase): void {
    if (!NEXT[this.#phase].includes(phase)) throw new TypeError(`A service cannot go from ${this.#phase} to ${phase}.`);
    this.#phase = phase;
  }
}
