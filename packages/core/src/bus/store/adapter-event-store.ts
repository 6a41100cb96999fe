import type { EventBusAdapter } from '../../contracts/adapter.ts';
import type { Appendable, EventStore, Recorded } from '../../contracts/event-store.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { decodeStoredEvent } from '../../event/decode-event.ts';
import type { JsonValue } from '../../json.ts';
import type { BusEventStore, KeptRecord, KeptSnapshot, StoreOutcome, StorePage, StoreRead } from './bus-event-store.ts';
import { compileRead } from './compile-read.ts';

const PARTITION = 0;
const FIND_BUDGET_MS = 1_000;
const SCAN_BYTES_MAX = 8 * 1024 * 1024;
/** No name of a projection begins like this, and projections keep their states under the same kind. */
const SNAPSHOT_PREFIX = '~store/';

export interface AdapterEventStoreOptions {
  /**
   * Opens and closes the adapter elsewhere, as a bus does with its own: the store then only reads events, and keeps snapshots.
   * Resolves when the adapter is open.
   */
  readonly opened?: (() => Promise<unknown>) | undefined;
}

/** A store over any adapter: a journal of its own, or the log that a bus has already. */
export class AdapterEventStore implements BusEventStore {
  readonly name: string;
  readonly #adapter: EventBusAdapter;
  readonly #opened: (() => Promise<unknown>) | undefined;
  #opening: Promise<unknown> | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(adapter: EventBusAdapter, { opened }: AdapterEventStoreOptions = {}) {
    this.name = adapter.name;
    this.#adapter = adapter;
    this.#opened = opened;
  }

  /** The adapter has stopped. What passes, as a disk that is full, is told by the events that are refused. */
  get failure(): EventManagerError | undefined {
    if (this.#opened || !this.#isOpen || this.#isClosed) return undefined;
    const { status, reason = 'no reason is known' } = this.#adapter.health();
    if (status !== 'failed' && status !== 'read-only') return undefined;
    return new EventManagerError('store_failed', `The event store ${this.name} takes nothing more: ${reason}`);
  }

  async open(): Promise<void> {
    if (this.#isClosed) throw new EventManagerError('closed', 'The store is closed.');
    const opening = (this.#opening ??= this.#opened ? this.#opened() : this.#adapter.open());
    try {
      await opening;
      this.#isOpen = true;
    } catch (error) {
      // The next try may have begun.
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  /** True where that adapter is what it keeps events in. */
  isOver(adapter: EventBusAdapter): boolean {
    return this.#adapter === adapter;
  }

  async append(events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
    if (this.#opened) throw new TypeError('The log of a bus is written by its publish alone.');
    await this.open();
    return (await this.#adapter.store.append(events)).map(({ status }) => status);
  }

  async read(request: StoreRead): Promise<StorePage> {
    await this.open();
    const { store, supports } = this.#adapter;
    return supports.query === 'index' ? find(store, request) : scan(store, request);
  }

  async loadSnapshot(name: string): Promise<KeptSnapshot | undefined> {
    await this.open();
    const [entry] = await this.#adapter.state.get('snapshot', [SNAPSHOT_PREFIX + name]);
    return entry?.value as KeptSnapshot | undefined;
  }

  async saveSnapshot(name: string, snapshot: KeptSnapshot | undefined): Promise<void> {
    await this.open();
    const value = snapshot === undefined ? {} : { value: snapshot as unknown as JsonValue };
    await this.#adapter.state.commit([{ kind: 'snapshot', key: SNAPSHOT_PREFIX + name, ...value }]);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#opened || !this.#opening) return;
    // What did not open need not be closed.
    if (
      await this.#opening.then(
        () => true,
        () => false,
      )
    )
      await this.#adapter.close();
  }
}

/** By the indexes of the adapter: the events of one topic are found among millions. */
async function find(store: EventStore, { after = 0, limit, ...query }: StoreRead): Promise<StorePage> {
  const options = { limit, direction: 'forward', budgetMs: FIND_BUDGET_MS } as const;
  const place = after === 0 ? {} : { after: { partition: PARTITION, position: after } };
  const { records, next } = await store.find(withoutAbsent(query), { ...options, ...place });
  // Looked at afterwards: what is removed meanwhile is missing, and not unnoticed.
  const { first, head } = await boundsOf(store);
  return { records: records.map(keptRecord), next: next?.position, first, head };
}

/** Without indexes a search looks at everything in any case, and that of memory sees the history alone. */
async function scan(store: EventStore, request: StoreRead): Promise<StorePage> {
  const { after = 0, limit, types } = request;
  const matches = compileRead(request);
  const { records, scannedTo, lost } = await store.read(PARTITION, after, { limit, bytesMax: SCAN_BYTES_MAX });
  const { first, head } = await boundsOf(store);
  const wanted = records.filter((record) => {
    const type = types === undefined ? '' : decodeStoredEvent(record.body).type;
    return matches({ type, topic: record.topic, recordedAtMs: record.recordedAtMs });
  });
  const next = scannedTo < head ? scannedTo : undefined;
  const missing = lost ? lost.through - lost.from + 1 : 0;
  return { records: wanted.map(keptRecord), next, first, head, missing };
}

async function boundsOf(store: EventStore): Promise<{ readonly first: number; readonly head: number }> {
  const [bounds] = await store.bounds();
  return bounds ?? { first: 1, head: 0 };
}

function keptRecord({ place: { position }, recordedAtMs, id, body }: Recorded): KeptRecord {
  return { position, recordedAtMs, id, body };
}

type Present<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };

function withoutAbsent<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}
