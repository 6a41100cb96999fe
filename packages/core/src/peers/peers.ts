/**
 * The other processes that share the store, as their letters tell.
 *
 *     unknown ──a letter──▶ live ──silent for 5 s, said goodbye, or begun anew──▶ gone
 *
 * Each says once a second that it is `here`; one that hears of a stranger says so at once, so that a new process knows the
 * others a moment after it came. What is known here is hearsay: it decides who is asked and where a delivery is handed, never
 * who may decide about one, which is the lease's. A process that slept takes the others for gone when it wakes, until it hears
 * of them again.
 *
 * Letters are handled one after the other in the order of arrival. One that cannot be read is passed over.
 */
import type { Exchange } from '../contracts/exchange.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import { createEventIdSource } from '../event/event-id.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope, type Letter } from './envelope.ts';
import { type Heard, Outbox } from './outbox.ts';

export const HERE_EVERY_MS = 1_000;
export const GONE_AFTER_MS = 5_000;

export interface PeersOptions {
  readonly exchange: Exchange;
  /** The name of this process. */
  readonly self: string;
  readonly runtime: Runtime;
  /** What the others are told of this process every second. */
  readonly facts: () => JsonObject;
  /** For what is no letter's fault. */
  readonly onFailure: (error: unknown) => void;
}

/** Another process. */
export interface Peer {
  readonly name: string;
  readonly life: string;
  /** What it said of itself last. */
  facts: JsonObject;
}

/** `ageMs` is how long ago the letter was sent, at most; `Infinity` where nobody can say. */
export type OnLetter = (letter: Letter, from: Peer, ageMs: number) => void;

interface Known extends Peer {
  heardAtMs: number;
  /** The newest of its clock that was heard. */
  atMs: number;
}

export class Peers {
  readonly self: string;
  readonly counts = { sent: 0, received: 0, unreadable: 0 };
  readonly #options: PeersOptions;
  readonly #life: string;
  readonly #outbox: Outbox;
  readonly #known = new Map<string, Known>();
  readonly #readers = new Map<string, OnLetter>();
  readonly #onGone: ((peer: Peer) => void)[] = [];
  readonly #onBeat: (() => void)[] = [];
  #end: (() => void) | undefined;
  #cancelBeat: Cancel | undefined;

  constructor(options: PeersOptions) {
    const { self, runtime } = options;
    this.self = self;
    this.#options = options;
    this.#life = createEventIdSource(runtime)();
    this.#outbox = new Outbox(
      runtime.timers,
      (to) => this.#heardOf(to),
      (letters, to, heard) => this.#send(letters, to, heard),
    );
    this.on('here', (letter, from) => this.#here(letter, from));
    this.on('goodbye', (_letter, from) => this.#forget(from.name));
  }

  /** The names of the processes that live, this one among them, in one order for all. */
  get live(): readonly string[] {
    return [this.self, ...this.#known.keys()].toSorted();
  }

  get others(): readonly Peer[] {
    return [...this.#known.values()];
  }

  /** `undefined` for one that is gone. */
  peer(name: string | undefined): Peer | undefined {
    return name === undefined ? undefined : this.#known.get(name);
  }

  /** Who reads the letters of a kind. */
  on(kind: string, read: OnLetter): void {
    this.#readers.set(kind, read);
  }

  onGone(tell: (peer: Peer) => void): void {
    this.#onGone.push(tell);
  }

  /** Called once a second, before the others are told that this process is here. */
  onBeat(beat: () => void): void {
    this.#onBeat.push(beat);
  }

  start(): void {
    this.#end = this.#options.exchange.receive(this.self, (value, from) => this.#receive(value, from));
    this.#beat();
  }

  stop(): void {
    if (!this.#end) return;
    this.post({ kind: 'goodbye' });
    this.#outbox.flush();
    this.#end();
    this.#end = undefined;
    this.#cancelBeat?.();
    for (const name of [...this.#known.keys()]) this.#forget(name);
  }

  /** Sends with the others of this turn. `to` is the name of one process, or absent for all others. */
  post(letter: Letter, to?: string): void {
    if (this.#end) this.#outbox.post(letter, to);
  }

  #beat(): void {
    this.#sweep();
    for (const beat of this.#onBeat) beat();
    this.post({ kind: 'here', facts: this.#options.facts() });
    this.#cancelBeat = this.#options.runtime.timers.after(HERE_EVERY_MS, () => this.#beat());
  }

  #sweep(): void {
    const sinceMs = this.#nowMs() - GONE_AFTER_MS;
    for (const { name, heardAtMs } of [...this.#known.values()]) if (heardAtMs < sinceMs) this.#forget(name);
  }

  #heardOf(to: string | undefined): Heard {
    const known = to === undefined ? undefined : this.#known.get(to);
    return known ? { to: known.life, echoMs: known.atMs } : {};
  }

  #send(letters: readonly Letter[], to: string | undefined, heard: Heard): void {
    this.counts.sent += letters.length;
    const envelope = { life: this.#life, atMs: this.#nowMs(), letters, ...heard };
    this.#options.exchange.send(encodeEnvelope(envelope), to);
  }

  #receive(value: JsonValue, from: string): void {
    const envelope = decodeEnvelope(value);
    if (!envelope || from === this.self) return;
    const peer = this.#heard(envelope, from);
    if (!peer) return;
    const isForUs = envelope.to === undefined || envelope.to === this.#life;
    const isTimed = envelope.to !== undefined && envelope.echoMs !== undefined;
    const ageMs = isTimed ? this.#nowMs() - envelope.echoMs! : Number.POSITIVE_INFINITY;
    if (isForUs) for (const letter of envelope.letters) this.#read(letter, peer, ageMs);
  }

  /** `undefined` when it comes from a life that has passed. */
  #heard({ life, atMs }: Envelope, name: string): Known | undefined {
    const before = this.#known.get(name);
    // Lives are named by ids that grow with time.
    if (before && life < before.life) return undefined;
    if (before && life > before.life) this.#forget(name);
    const known = this.#known.get(name);
    if (known) {
      known.heardAtMs = this.#nowMs();
      known.atMs = Math.max(known.atMs, atMs);
      return known;
    }
    const peer: Known = { name, life, facts: {}, heardAtMs: this.#nowMs(), atMs };
    this.#known.set(name, peer);
    this.post({ kind: 'here', facts: this.#options.facts() }, name);
    return peer;
  }

  #read(letter: Letter, from: Peer, ageMs: number): void {
    this.counts.received++;
    // A letter before this one may have ended it.
    if (this.#known.get(from.name) !== from) return;
    try {
      this.#readers.get(letter.kind)?.(letter, from, ageMs);
    } catch (error) {
      if (isEventManagerError(error, 'internal')) this.counts.unreadable++;
      else this.#options.onFailure(error);
    }
  }

  #here(letter: Letter, from: Peer): void {
    const { facts } = letter;
    if (typeof facts === 'object' && facts !== null && !Array.isArray(facts)) from.facts = facts as JsonObject;
  }

  #forget(name: string): void {
    const peer = this.#known.get(name);
    if (!peer) return;
    this.#known.delete(name);
    for (const tell of this.#onGone) tell(peer);
  }

  #nowMs(): number {
    return this.#options.runtime.clock.monotonicMs();
  }
}
