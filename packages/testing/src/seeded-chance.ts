import type { Chance } from '@event-manager/core';

/**
 * Chance that a number decides: the same seed gives the same run, on every machine and version of Node.
 *
 * The generator is xoshiro128** 1.1 (Blackman and Vigna, public domain): 128 bits of state, period 2^128 - 1, and fast on
 * 32-bit integers, which is what JavaScript multiplies exactly. Its state is filled by splitmix32, as its authors
 * advise, because neighbouring seeds must not give similar runs. It is not fit for secrets.
 */
export class SeededChance implements Chance {
  readonly seed: number;
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    this.seed = seed >>> 0;
    let mix = this.seed;
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) >>> 0;
      let word = mix ^ (mix >>> 16);
      word = Math.imul(word, 0x21f0aaad);
      word ^= word >>> 15;
      word = Math.imul(word, 0x735a2d97);
      this.#state[i] = word ^ (word >>> 15);
    }
  }

  /** 53 bits, as many as a double holds: two draws. */
  fraction(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  fill(into: Uint8Array): void {
    for (let at = 0; at < into.length; at += 4) {
      const word = this.#next();
      for (let i = 0; i < 4 && at + i < into.length; i++) into[at + i] = word >>> (8 * i);
    }
  }

  /** An integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  /** True with the given probability. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new TypeError('Nothing to pick from.');
    return from[this.integer(from.length)]!;
  }

  /**
   * A stream of its own for one part of a simulation, so that a part that draws more often does not change what the others
   * draw. Depends on the seed and the name only, not on what was drawn before.
   */
  fork(name: string): SeededChance {
    let hash = 0x811c9dc5 ^ this.seed;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return new SeededChance(hash);
  }

  #next(): number {
    const state = this.#state;
    const [s0, s1, s2, s3] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const next2 = s2 ^ s0;
    const next3 = s3 ^ s1;
    state[0] = s0 ^ next3;
    state[1] = s1 ^ next2;
    state[2] = next2 ^ (s1 << 9);
    state[3] = rotate(next3, 11);
    return result;
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
