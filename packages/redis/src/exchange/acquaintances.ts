import type { Clock } from '@event-manager/core';
import type { Life } from './envelope.ts';

/** Of whom no beat was heard at Redis for so long, letters do not reach it there: two beats and a bit. */
const THERE_MS = 2_500;
/** Of whom nothing was heard in any way for so long, it is gone. */
const KNOWN_MS = 10_000;

interface Acquaintance {
  /** Undefined for one that does not use Redis. */
  readonly life: Life | undefined;
  /** The highest of its letters; what comes behind it came late or twice. */
  number: number;
  /** The latest turn of it that was heard of. */
  turn: number;
  beatAtMs: number;
  heardAtMs: number;
}

/** The other processes, and which way each can be reached, by what was heard of it. */
export class Acquaintances {
  readonly #clock: Clock;
  readonly #all = new Map<string, Acquaintance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was heard of it. */
  meet(name: string, life: Life): void {
    const known = this.#all.get(name);
    if (known?.life === life) known.heardAtMs = this.#clock.monotonicMs();
    else this.#add(name, life);
  }

  /**
   * It sent a letter as it is. Who uses Redis does that too, now and then; one that only does that from now on is forgotten and
   * met again.
   */
  meetPlain(name: string): void {
    const known = this.#all.get(name);
    if (known === undefined || this.#isGone(known)) this.#add(name, undefined);
    else if (known.life === undefined) known.heardAtMs = this.#clock.monotonicMs();
  }

  /** False for a letter that came late or twice. */
  isNews(name: string, number: number): boolean {
    const known = this.#all.get(name)!;
    if (number <= known.number) return false;
    known.number = number;
    return true;
  }

  /** Letters reach it at Redis. Answers whether they did not before. */
  cameToRedis(name: string, turn: number): boolean {
    const known = this.#all.get(name)!;
    if (turn < known.turn) return false;
    known.turn = turn;
    const isNew = !this.isAtRedis(name);
    known.beatAtMs = this.#clock.monotonicMs();
    return isNew;
  }

  leftRedis(name: string, turn: number): void {
    const known = this.#all.get(name)!;
    if (turn < known.turn) return;
    known.turn = turn;
    known.beatAtMs = Number.NEGATIVE_INFINITY;
  }

  /** This process left it: there is nobody there for it any more. */
  allLeftRedis(): void {
    for (const known of this.#all.values()) known.beatAtMs = Number.NEGATIVE_INFINITY;
  }

  isAtRedis(name: string): boolean {
    const known = this.#all.get(name);
    return known !== undefined && this.#clock.monotonicMs() - known.beatAtMs < THERE_MS;
  }

  usesRedis(name: string): boolean {
    return this.#all.get(name)?.life !== undefined;
  }

  /** Those who are only reached the other way. */
  elsewhere(): string[] {
    return this.names().filter((name) => !this.isAtRedis(name));
  }

  names(): string[] {
    for (const [name, known] of this.#all) {
      if (this.#isGone(known)) this.#all.delete(name);
    }
    return [...this.#all.keys()];
  }

  #add(name: string, life: Life | undefined): void {
    const never = Number.NEGATIVE_INFINITY;
    this.#all.set(name, { life, number: never, turn: never, beatAtMs: never, heardAtMs: this.#clock.monotonicMs() });
  }

  #isGone({ heardAtMs }: Acquaintance): boolean {
    return this.#clock.monotonicMs() - heardAtMs > KNOWN_MS;
  }
}
