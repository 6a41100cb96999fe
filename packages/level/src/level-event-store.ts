/**
 * Events in LevelDB. Everything that waits goes into one batch, written and synced before anybody is answered; the next batch
 * forms meanwhile. After a crash the database has whole batches, all that were answered among them.
 *
 *     new ──first use──▶ open ──close──▶ closed
 *                         └──a write failed──▶ failed: whether the last batch is there is known only when it is opened anew
 */
import {
  type Appendable,
  type BusEventStore,
  type Clock,
  EventManagerError,
  type KeptSnapshot,
  refuseUnknownOptions,
  type StoreOutcome,
  type StorePage,
  type StoreRead,
  sameContent,
  systemRuntime,
} from '@event-manager/core';
import { findRecords } from './find-records.ts';
import {
  decodeRecord,
  encodeRecord,
  eventKey,
  idKey,
  indexKey,
  positionBytes,
  positionIn,
  recordedAtOf,
  snapshotKey,
} from './layout.ts';
import { type Database, openDatabase } from './open-database.ts';

const NOTHING = Buffer.alloc(0);

export interface LevelOptions {
  readonly clock?: Clock | undefined;
}

interface Waiting {
  readonly events: readonly Appendable[];
  readonly resolve: (outcomes: readonly StoreOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Put {
  readonly type: 'put';
  readonly key: Buffer;
  readonly value: Buffer;
}

export class LevelDBEventStore implements BusEventStore {
  readonly name = 'leveldb';
  readonly #folder: string;
  readonly #clock: Clock;
  #opening: Promise<Database> | undefined;
  #closing: Promise<void> | undefined;
  #failure: EventManagerError | undefined;
  #head = 0;
  #lastMs = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(folder: string, options: LevelOptions = {}) {
    if (typeof folder !== 'string' || folder === '') throw new TypeError('A LevelDBEventStore needs a folder.');
    refuseUnknownOptions(options, ['clock'] satisfies (keyof LevelOptions)[], 'LevelDBEventStore');
    const { clock = systemRuntime.clock } = options;
    this.#folder = folder;
    this.#clock = clock;
  }

  get failure(): EventManagerError | undefined {
    return this.#failure;
  }

  async open(): Promise<void> {
    await this.#open();
  }

  append(events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
    if (this.#closing) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  async read(request: StoreRead): Promise<StorePage> {
    const database = await this.#open();
    return this.#coded('read', () => findRecords(database, request, this.#head));
  }

  async loadSnapshot(name: string): Promise<KeptSnapshot | undefined> {
    const database = await this.#open();
    return this.#coded('read', async () => {
      const text = await database.get(snapshotKey(name));
      return text === undefined ? undefined : (JSON.parse(text.toString()) as KeptSnapshot);
    });
  }

  async saveSnapshot(name: string, snapshot: KeptSnapshot | undefined): Promise<void> {
    const database = await this.#open();
    if (this.#failure) throw this.#failure;
    const key = snapshotKey(name);
    const text = snapshot && Buffer.from(JSON.stringify(snapshot));
    await this.#written(() => (text ? database.put(key, text, { sync: true }) : database.del(key, { sync: true })));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#writing) await this.#writing;
    const database = await this.#opening?.catch(() => undefined);
    await database?.close();
  }

  async #open(): Promise<Database> {
    if (this.#closing) throw closed();
    const opening = (this.#opening ??= this.#openDatabase());
    try {
      return await opening;
    } catch (error) {
      // Whoever has the lock may be gone at the next try, which may have begun.
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  async #openDatabase(): Promise<Database> {
    const database = await openDatabase(this.#folder);
    const last = { gt: eventKey(0), lt: Buffer.from('f'), reverse: true, limit: 1 };
    try {
      for await (const [key, bytes] of database.iterator(last)) {
        this.#head = positionIn(key);
        this.#lastMs = recordedAtOf(bytes);
      }
      return database;
    } catch (error) {
      await database.close();
      throw failed('open', error);
    }
  }

  async #write(): Promise<void> {
    // What is handed in during this turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        const outcomes = await this.#writeGroup(group.flatMap(({ events }) => events));
        let at = 0;
        for (const { events, resolve } of group) resolve(outcomes.slice(at, (at += events.length)));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #writeGroup(events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
    if (this.#failure) throw this.#failure;
    const database = await this.#opened();
    const known = await this.#coded('read', () => this.#bodiesOf(database, events));
    const batch: Put[] = [];
    let head = this.#head;
    const recordedAtMs = Math.max(this.#lastMs, this.#clock.wallMs());
    const outcomes = events.map((event): StoreOutcome => {
      const body = known.get(event.id);
      if (body) return sameContent(body, event.body) ? 'duplicate' : 'conflict';
      known.set(event.id, event.body);
      batch.push(...entriesOf(event, ++head, recordedAtMs));
      return 'stored';
    });
    if (batch.length > 0) {
      await this.#written(() => database.batch([...batch], { sync: true }));
      this.#head = head;
      this.#lastMs = recordedAtMs;
    }
    return outcomes;
  }

  /** While it closes, what was handed in before is still written. */
  #opened(): Promise<Database> {
    return this.#closing && this.#opening ? this.#opening : this.#open();
  }

  /** Of the events that are there already. */
  async #bodiesOf(database: Database, events: readonly Appendable[]): Promise<Map<string, Uint8Array>> {
    const positions = await database.getMany(events.map(({ id }) => idKey(id)));
    const there = positions.flatMap((bytes) => (bytes ? [eventKey(positionIn(bytes))] : []));
    const records = there.length === 0 ? [] : await database.getMany(there);
    return new Map(records.map((bytes) => [decodeRecord(bytes!).id, decodeRecord(bytes!).body]));
  }

  /** LevelDB takes nothing more after a write that failed, of whatever. */
  async #written(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#failure ??= failed('write', error);
      throw this.#failure;
    }
  }

  /** What LevelDB throws has codes of its own. */
  async #coded<Answer>(what: 'read', work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof EventManagerError) throw error;
      // Closing ends what is read.
      throw this.#closing ? closed() : failed(what, error);
    }
  }
}

function failed(what: 'open' | 'read' | 'write', error: unknown): EventManagerError {
  const words = `LevelDB cannot ${what}: ${error instanceof Error ? error.message : String(error)}`;
  return new EventManagerError('store_failed', words, {}, error);
}

function entriesOf(event: Appendable, position: number, recordedAtMs: number): Put[] {
  const { id, type, topic, body } = event;
  const put = (key: Buffer, value: Buffer): Put => ({ type: 'put', key, value });
  return [
    put(eventKey(position), encodeRecord({ recordedAtMs, id, type, topic, body })),
    put(idKey(id), positionBytes(position)),
    put(indexKey('t', topic, position), NOTHING),
    put(indexKey('y', type, position), NOTHING),
  ];
}

function closed(): EventManagerError {
  return new EventManagerError('closed', 'The LevelDB store is closed.');
}
