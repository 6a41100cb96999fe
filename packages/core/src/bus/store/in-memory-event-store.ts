import type { Appendable } from '../../contracts/event-store.ts';
import { sameContent } from '../../event/same-content.ts';
import type { Clock } from '../../runtime/clock.ts';
import { systemRuntime } from '../../runtime/runtime.ts';
import type { BusEventStore, KeptSnapshot, StoreOutcome, StorePage, StoreRead } from './bus-event-store.ts';
import { compileRead } from './compile-read.ts';

const EVENTS_MAX = 10_000;

interface Entry {
  readonly position: number;
  readonly recordedAtMs: number;
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly body: Uint8Array;
}

/**
 * The newest events, in this process, and gone with it: for development and tests. `eventsMax` bounds what can be read back and
 * which ids are known again; what the bus owes to subscriptions does not depend on it.
 */
export class InMemoryEventStore implements BusEventStore {
  readonly name = 'memory';
  readonly #eventsMax: number;
  readonly #clock: Clock;
  readonly #snapshots = new Map<string, string>();
  /** From position `#first` on, without holes. The front is cut off when it has grown to twice what may stay. */
  #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  #first = 1;
  #lastMs = 0;

  constructor(eventsMax: number = EVENTS_MAX, { clock = systemRuntime.clock }: { readonly clock?: Clock } = {}) {
    if (!(eventsMax >= 1) || (!Number.isInteger(eventsMax) && eventsMax !== Number.POSITIVE_INFINITY)) {
      throw new TypeError(`An InMemoryEventStore has room for 1 event or more, not ${eventsMax}.`);
    }
    this.#eventsMax = eventsMax;
    this.#clock = clock;
  }

  /** Events that are kept. */
  get size(): number {
    return Math.min(this.#entries.length, this.#eventsMax);
  }

  async open(): Promise<void> {}

  async append(events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
    this.#lastMs = Math.max(this.#lastMs, this.#clock.wallMs());
    return events.map((event) => this.#append(event));
  }

  async read(request: StoreRead): Promise<StorePage> {
    const matches = compileRead(request);
    const first = this.#first + this.#entries.length - this.size;
    const head = this.#first + this.#entries.length - 1;
    const records: Entry[] = [];
    for (let at = Math.max((request.after ?? 0) + 1, first) - this.#first; at < this.#entries.length; at++) {
      const entry = this.#entries[at]!;
      if (records.length === request.limit) return { records, next: entry.position - 1, first, head };
      if (matches(entry)) records.push(entry);
    }
    return { records, first, head };
  }

  async loadSnapshot(name: string): Promise<KeptSnapshot | undefined> {
    const text = this.#snapshots.get(name);
    return text === undefined ? undefined : (JSON.parse(text) as KeptSnapshot);
  }

  async saveSnapshot(name: string, snapshot: KeptSnapshot | undefined): Promise<void> {
    if (snapshot) this.#snapshots.set(name, JSON.stringify(snapshot));
    else this.#snapshots.delete(name);
  }

  async close(): Promise<void> {}

  #append({ id, type, topic, body }: Appendable): StoreOutcome {
    const known = this.#byId.get(id);
    if (known) return sameContent(known.body, body) ? 'duplicate' : 'conflict';
    const position = this.#first + this.#entries.length;
    const entry: Entry = { position, recordedAtMs: this.#lastMs, id, type, topic, body };
    this.#entries.push(entry);
    this.#byId.set(id, entry);
    const oldest = this.#entries.length - this.#eventsMax - 1;
    if (oldest >= 0) this.#byId.delete(this.#entries[oldest]!.id);
    if (this.#entries.length >= this.#eventsMax * 2) this.#forget();
    return 'stored';
  }

  #forget(): void {
    this.#first += this.#entries.length - this.#eventsMax;
    this.#entries = this.#entries.slice(-this.#eventsMax);
  }
}
