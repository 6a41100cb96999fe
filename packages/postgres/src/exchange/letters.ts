/**
 * Letters by NOTIFY: one name for each process and one for all. They travel on the connection that listens, whose commits wait
 * for no disk (nothing durable hangs on a letter, and an announcement holds a lock of the whole database until its commit is
 * done). Everything that waits goes in one statement, and the next one forms meanwhile.
 *
 * The server takes 7,999 bytes at once, so a letter goes in parts:
 *
 *     number part parts from\n text of the part
 *
 * All parts of a letter are announced in one transaction, which arrives whole or not at all, in order. While nobody listens,
 * letters are lost; so are those that would have to wait behind too many others.
 */
import { createHash } from 'node:crypto';
import { type Exchange, type JsonValue, LETTER_BYTES_MAX, type Runtime } from '@event-manager/core';
import type { Listener } from '../connect/listener.ts';

/** Beside the head of a part, which takes a name of at most 128 characters. */
const PART_BYTES_MAX = 6_800;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** Others wait for nothing that this process says last; it need not stop for longer. */
const LAST_SENT_WITHIN_MS = 1_000;

interface Announcement {
  readonly place: string;
  readonly payload: string;
}

interface Arriving {
  readonly number: string;
  readonly parts: string[];
}

export interface LettersOptions {
  readonly listener: Listener;
  /** What the names of a schema begin with. */
  readonly prefix: string;
  readonly runtime: Runtime;
}

export class Letters implements Exchange {
  readonly #listener: Listener;
  readonly #prefix: string;
  readonly #runtime: Runtime;
  readonly #arriving = new Map<string, Arriving>();
  #self: string | undefined;
  /** The same as a part names it. */
  #head = '';
  #waiting: Announcement[] = [];
  #waitingBytes = 0;
  #sending: Promise<void> | undefined;
  #last = 0;

  constructor({ listener, prefix, runtime }: LettersOptions) {
    this.#listener = listener;
    this.#prefix = prefix;
    this.#runtime = runtime;
  }

  send(letter: JsonValue, to?: string): void {
    const text = JSON.stringify(letter);
    const bytes = Buffer.from(text);
    if (bytes.length > LETTER_BYTES_MAX)
      throw new TypeError(`A letter takes at most ${LETTER_BYTES_MAX} bytes as JSON.`);
    if (this.#self === undefined || this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) return;
    const place = to === undefined ? this.#placeOfAll : this.#placeOf(to);
    const parts = partsOf(bytes);
    const number = ++this.#last;
    for (const [at, part] of parts.entries()) {
      this.#waiting.push({ place, payload: `${number} ${at + 1} ${parts.length} ${this.#head}\n${part}` });
    }
    this.#waitingBytes += bytes.length;
    this.#sending ??= this.#sendAll();
  }

  receive(self: string, onLetter: (letter: JsonValue, from: string) => void): () => void {
    if (this.#self !== undefined) throw new TypeError('Letters are received once.');
    this.#self = self;
    this.#head = encodeURIComponent(self);
    const onPayload = (payload: string) => this.#arrived(payload, onLetter);
    const ends = [this.#placeOfAll, this.#placeOf(self)].map((place) => this.#listener.hear(place, onPayload));
    return () => {
      for (const end of ends) end();
      // What was said last, a goodbye, still goes out.
      this.#self = undefined;
      this.#arriving.clear();
    };
  }

  /** Resolves when what was sent is announced or lost: whoever closes the listener before loses what waits for it. */
  async close(): Promise<void> {
    this.#self = undefined;
    if (!this.#sending) return;
    const limit = Promise.withResolvers<void>();
    const cancel = this.#runtime.timers.after(LAST_SENT_WITHIN_MS, limit.resolve, true);
    await Promise.race([this.#sending, limit.promise]);
    cancel();
  }

  get #placeOfAll(): string {
    return this.#placeOf('');
  }

  /** Names of processes may be longer than those of channels, and hold anything. */
  #placeOf(name: string): string {
    return `letters_${createHash('sha256').update(`${this.#prefix}\0${name}`).digest('hex').slice(0, 40)}`;
  }

  async #sendAll(): Promise<void> {
    // Letters of one turn are announced together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const sent = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#listener.announce(sent);
    }
    this.#sending = undefined;
  }

  #arrived(payload: string, onLetter: (letter: JsonValue, from: string) => void): void {
    const end = payload.indexOf('\n');
    const [number = '', part, parts, name = ''] = payload.slice(0, Math.max(0, end)).split(' ');
    if (name === '' || name === this.#head) return;
    const from = nameOf(name);
    const text = payload.slice(end + 1);
    if (parts === '1') {
      this.#tell(text, from, onLetter);
      return;
    }
    if (part === '1') this.#arriving.set(from, { number, parts: [] });
    const arriving = this.#arriving.get(from);
    // The first part came over a connection that was lost.
    if (arriving?.number !== number || arriving.parts.length + 1 !== Number(part)) return;
    arriving.parts.push(text);
    if (part !== parts) return;
    this.#arriving.delete(from);
    this.#tell(arriving.parts.join(''), from, onLetter);
  }

  #tell(text: string, from: string, onLetter: (letter: JsonValue, from: string) => void): void {
    let letter: JsonValue;
    try {
      letter = JSON.parse(text) as JsonValue;
    } catch {
      return;
    }
    onLetter(letter, from);
  }
}

/** Whoever may connect to the database may announce anything. */
function nameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Cut between characters: each part is a text of its own. */
function partsOf(bytes: Buffer): string[] {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    let end = Math.min(bytes.length, at + PART_BYTES_MAX);
    while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
    parts.push(bytes.toString('utf8', at, end));
    at = end;
  }
  return parts;
}
