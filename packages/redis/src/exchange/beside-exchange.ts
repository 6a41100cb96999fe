/*
 * Letters by Redis, and by the exchange of the adapter where Redis does not reach.
 *
 * Two processes may differ in what they see of Redis: one has lost it, one was never given it, two are connected to different
 * servers after a failover. So the way is chosen for each receiver, by what was heard of it: at Redis every process beats
 * once a second under its name, and to whoever was heard there within the last 2.5 s letters go there; to all others
 * they go by the adapter's exchange. A process that loses Redis or comes back says so by the adapter's exchange at once;
 * every two seconds it says how things are, by which those find each other who are at different servers.
 *
 *     of one sender to one receiver:      other way ──a beat of it is heard──▶ Redis
 *                                            ▲                                  │ no beat for 2.5 s, it says that it left,
 *                                            └──────────────────────────────────┘ or Redis is lost here
 *
 * A letter that goes one way may be overtaken by a later one that goes the other way. All letters of a process are therefore
 * numbered, and a receiver takes none that stands behind one it has had: at a change of ways letters may be lost, which
 * an exchange may do, but they keep their order, and none comes twice. A process without Redis would not understand a sealed
 * letter, so it is sent the letter as it is; it has only one way. So is a letter that a seal would make too large (the last
 * 150 bytes below the limit): at a change of ways that one may come twice or behind a later one.
 */
import { type Exchange, type JsonValue, LETTER_BYTES_MAX, type Runtime } from '@event-manager/core';
import type { Link } from '../connect/link.ts';
import { Acquaintances } from './acquaintances.ts';
import { type Life, readSaid, readSealed, type Said, type Sealed } from './envelope.ts';

const TELL_MS = 2_000;

export interface BesideExchangeOptions {
  readonly link: Link;
  /** The other way; without one, letters to whoever is not at Redis are lost. */
  readonly other: Exchange | undefined;
  readonly life: Life;
  readonly places: Places;
  readonly runtime: Runtime;
  /** Somebody changed something in the store. */
  readonly onChanged: () => void;
}

/** Where things are said at Redis. */
export interface Places {
  readonly all: string;
  one(name: string): string;
}

interface Receiving {
  readonly self: string;
  readonly onLetter: (letter: JsonValue, from: string) => void;
}

export class BesideExchange implements Exchange {
  readonly #options: BesideExchangeOptions;
  readonly #acquaintances: Acquaintances;
  #receiving: Receiving | undefined;
  #cancelTelling: () => void = () => {};
  #isAnswering = false;
  #number = 0;
  /** Grows when letters begin to reach this process at Redis, and when they end to. */
  #turn = 0;

  constructor(options: BesideExchangeOptions) {
    this.#options = options;
    this.#acquaintances = new Acquaintances(options.runtime.clock);
  }

  send(letter: JsonValue, to?: string): void {
    const { link, life, places, other } = this.#options;
    assertSize(letter);
    if (this.#receiving === undefined) {
      other?.send(letter, to);
      return;
    }
    const number = ++this.#number;
    const said: Said = ['letter', life, this.#receiving.self, number, letter];
    if (to !== undefined) {
      const isSent = this.#acquaintances.isAtRedis(to) && link.say(places.one(to), JSON.stringify(said)) !== undefined;
      if (!isSent) this.#sendOtherWay(letter, number, to);
    } else if (link.say(places.all, JSON.stringify(said)) === undefined) {
      this.#sendOtherWayToAll(letter, number);
    } else {
      for (const name of this.#acquaintances.elsewhere()) this.#sendOtherWay(letter, number, name);
    }
  }

  receive(self: string, onLetter: (letter: JsonValue, from: string) => void): () => void {
    const { link, other, places } = this.#options;
    const receiving = { self, onLetter };
    this.#receiving = receiving;
    const end = other?.receive(self, (letter, from) => this.#heardOtherWay(letter, from));
    void link.hear(places.one(self), (text) => this.heard(text)).then(() => this.changed());
    this.#tellAgain();
    return () => {
      this.#cancelTelling();
      end?.();
      if (this.#receiving === receiving) this.#receiving = undefined;
    };
  }

  /** True while everybody hears at Redis that something changed. */
  get reachesAllAtRedis(): boolean {
    return this.#isThere() && this.#acquaintances.elsewhere().length === 0;
  }

  /** How the beats of this process are. */
  beat(): string {
    const { life } = this.#options;
    const said: Said = this.#isThere() ? ['beat', life, this.#receiving!.self, this.#turn] : ['beat', life];
    return JSON.stringify(said);
  }

  /** Something changed in the store, and at Redis not everybody hears of it any more. */
  tellChanged(): void {
    this.#tell({ hasChanged: true });
  }

  /** Redis came or went, or letters reach this process there from now on. */
  changed(): void {
    const { link, places } = this.#options;
    this.#turn++;
    if (!link.state.isUp) this.#acquaintances.allLeftRedis();
    else if (this.#isThere()) void link.say(places.all, this.beat());
    this.#tell();
  }

  /** Something was said at a place of Redis. */
  heard(text: string): void {
    const said = readSaid(text);
    if (said === undefined || said[1] === this.#options.life) return;
    if (said[0] === 'changed') {
      this.#options.onChanged();
      return;
    }
    const [kind, life, name, number, letter] = said;
    if (name === undefined || this.#receiving === undefined) return;
    this.#acquaintances.meet(name, life);
    if (kind === 'letter') this.#take(letter!, number!, name);
    else if (this.#acquaintances.cameToRedis(name, number!)) this.#answerSoon();
  }

  #heardOtherWay(letter: JsonValue, from: string): void {
    const sealed = readSealed(letter);
    if (sealed === undefined) {
      this.#acquaintances.meetPlain(from);
      this.#receiving?.onLetter(letter, from);
      return;
    }
    const { life, number, isThere, turn, hasChanged } = sealed.besideRedis;
    this.#acquaintances.meet(from, life);
    if (!isThere) this.#acquaintances.leftRedis(from, turn);
    if (hasChanged) this.#options.onChanged();
    if (sealed.letter !== undefined) this.#take(sealed.letter, number, from);
  }

  #take(letter: JsonValue, number: number, from: string): void {
    if (this.#acquaintances.isNews(from, number)) this.#receiving?.onLetter(letter, from);
  }

  /** So that a newcomer need not wait for our next beat; one is enough for all who came together. */
  #answerSoon(): void {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    this.#options.runtime.timers.soon(() => {
      this.#isAnswering = false;
      void this.#options.link.say(this.#options.places.all, this.beat());
    });
  }

  #sendOtherWay(letter: JsonValue, number: number, to: string): void {
    const sealed = this.#acquaintances.usesRedis(to) ? this.#sealed(letter, number) : undefined;
    this.#options.other?.send(sealed ?? letter, to);
  }

  #sendOtherWayToAll(letter: JsonValue, number: number): void {
    const { other } = this.#options;
    const sealed = this.#sealed(letter, number);
    other?.send(sealed ?? letter);
    if (sealed === undefined) return;
    for (const name of this.#acquaintances.names()) {
      if (!this.#acquaintances.usesRedis(name)) other?.send(letter, name);
    }
  }

  /** Undefined when it would be too large. */
  #sealed(letter: JsonValue, number: number): JsonValue | undefined {
    const sealed = { besideRedis: this.#seal(number), letter } satisfies Sealed;
    return sizeOf(sealed) > LETTER_BYTES_MAX ? undefined : sealed;
  }

  /** Tells everybody, the other way, whether letters reach this process at Redis. */
  #tell(more: { hasChanged?: true } = {}): void {
    if (this.#receiving === undefined) return;
    const said = { besideRedis: { ...this.#seal(this.#number), ...more } } satisfies Sealed;
    this.#options.other?.send(said);
  }

  #seal(number: number) {
    return { life: this.#options.life, number, isThere: this.#isThere(), turn: this.#turn };
  }

  #tellAgain(): void {
    this.#cancelTelling = this.#options.runtime.timers.after(TELL_MS, () => {
      this.#tell();
      this.#tellAgain();
    });
  }

  #isThere(): boolean {
    const { link, places } = this.#options;
    return this.#receiving !== undefined && link.isHearing(places.one(this.#receiving.self));
  }
}

function assertSize(letter: JsonValue): void {
  const bytes = sizeOf(letter);
  if (bytes > LETTER_BYTES_MAX) throw new TypeError(`A letter has at most ${LETTER_BYTES_MAX} bytes, not ${bytes}.`);
}

function sizeOf(letter: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(letter));
}
