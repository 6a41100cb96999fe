import type { SeededChance } from './seeded-chance.ts';

/** What a disk writes whole or not at all, in bytes; within it a write may stop at any byte when the power goes. */
const SECTOR_BYTES = 512;

/** What a crash does to data that was not synced: lets chance decide for each sector, loses all of it, or none. */
export type CrashMode = 'chance' | 'lose-all' | 'keep-all';

/** Contents of sectors as they would come back if what was written to them since were lost. */
type Bases = Map<number, Uint8Array>;

/** A sync under way: what it will make durable if it succeeds. */
export interface PendingSync {
  readonly bases: Bases;
  readonly size: number;
}

/**
 * The contents of one simulated file, split into what the page cache holds and what is on the platter.
 *
 * The bytes kept here are those of the page cache; for each sector that differs from the platter the *base*, its content
 * there, is kept beside. A sector is in one of four states:
 *
 *   clean      no base; platter and cache agree
 *   unsynced   written since the last sync began; a crash keeps, loses or tears it
 *   syncing    part of a sync under way; treated as unsynced until that sync succeeds
 *   doomed     its sync failed. The kernel marks such pages clean, so reads still see the data and the next sync says OK
 *              without writing it: a crash always loses it. Only writing the sector again makes it unsynced again.
 *
 * The size is durable in the same way: a crash leaves the last synced size, the newest, or one between.
 */
export class SimulatedFile {
  #bytes = new Uint8Array(SECTOR_BYTES);
  #size = 0;
  #syncedSize = 0;
  readonly #unsynced: Bases = new Map();
  readonly #syncing: PendingSync[] = [];
  readonly #doomed: Bases = new Map();

  get size(): number {
    return this.#size;
  }

  /** How many sectors a crash could take. */
  get sectorsAtRisk(): number {
    return this.#unsynced.size + this.#doomed.size + this.#syncing.reduce((sum, sync) => sum + sync.bases.size, 0);
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    into.set(this.#bytes.subarray(at, at + count));
    return count;
  }

  write(bytes: Uint8Array, at: number): void {
    if (bytes.length === 0) return;
    const end = at + bytes.length;
    this.#reserve(end);
    this.#touch(Math.min(at, this.#size), end);
    this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, end);
  }

  truncate(length: number): void {
    this.#reserve(length);
    this.#touch(Math.min(length, this.#size), Math.max(length, this.#size));
    this.#bytes.fill(0, length);
    this.#size = length;
  }

  beginSync(): PendingSync {
    const sync = { bases: new Map(this.#unsynced), size: this.#size };
    this.#unsynced.clear();
    this.#syncing.push(sync);
    return sync;
  }

  /** A sync covers whatever an earlier one, still under way, was to cover. */
  completeSync(sync: PendingSync): void {
    const index = this.#syncing.indexOf(sync);
    if (index < 0) return;
    this.#syncing.splice(0, index + 1);
    this.#syncedSize = sync.size;
  }

  failSync(sync: PendingSync): void {
    const index = this.#syncing.indexOf(sync);
    if (index < 0) return;
    this.#syncing.splice(index, 1);
    const later = [...this.#syncing.slice(index).map((other) => other.bases), this.#unsynced];
    for (const [sector, base] of sync.bases) {
      // Written again since: those later pages are dirty in their own right, but lie on top of what the platter has.
      const rewritten = later.find((bases) => bases.has(sector));
      (rewritten ?? this.#doomed).set(sector, base);
    }
  }

  /** The power goes and comes back: what is left is on the platter. */
  crash(chance: SeededChance, mode: CrashMode): void {
    const cacheSize = this.#size;
    this.#size = this.#sizeAfterCrash(chance, mode);
    this.#reserve(this.#size);
    const isTruncationLost = this.#size > cacheSize;
    for (const [sector, base] of this.#basesOldestWins()) {
      const isCutOff = isTruncationLost && (sector + 1) * SECTOR_BYTES > cacheSize;
      if (isCutOff || this.#doomed.has(sector)) this.#restore(sector, base, 0);
      else if (mode === 'lose-all') this.#restore(sector, base, 0);
      else if (mode === 'chance') this.#restore(sector, base, writtenBytes(chance));
    }
    this.#bytes.fill(0, this.#size);
    this.#syncedSize = this.#size;
    this.#unsynced.clear();
    this.#syncing.length = 0;
    this.#doomed.clear();
  }

  /** Changes the platter and the cache alike, as rot that nobody noticed. */
  flipBit(bit: number): void {
    const at = bit >>> 3;
    if (at >= this.#size) throw new RangeError(`The file has ${this.#size} bytes; there is no bit ${bit}.`);
    const mask = 1 << (bit & 7);
    this.#bytes[at]! ^= mask;
    const sector = Math.floor(at / SECTOR_BYTES);
    for (const bases of this.#allBases()) {
      const base = bases.get(sector);
      if (base !== undefined) base[at % SECTOR_BYTES]! ^= mask;
    }
  }

  contents(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  #sizeAfterCrash(chance: SeededChance, mode: CrashMode): number {
    if (mode === 'keep-all') return this.#size;
    if (mode === 'lose-all') return this.#syncedSize;
    const choice = chance.integer(3);
    if (choice === 0) return this.#syncedSize;
    // A truncation happens as a whole; growth may have reached any byte.
    if (choice === 1 || this.#size <= this.#syncedSize) return this.#size;
    return this.#syncedSize + chance.integer(this.#size - this.#syncedSize + 1);
  }

  /** Remembers what the sectors of [from, to) hold on the platter before the cache changes. */
  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++) {
      if (this.#unsynced.has(sector)) continue;
      const doomed = this.#doomed.get(sector);
      this.#doomed.delete(sector);
      this.#unsynced.set(sector, doomed ?? this.#bytes.slice(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES));
    }
  }

  /** Puts a base back from byte `keep` of the sector on; what stands before it had been written. */
  #restore(sector: number, base: Uint8Array, keep: number): void {
    if (keep >= SECTOR_BYTES || sector * SECTOR_BYTES >= this.#bytes.length) return;
    this.#bytes.set(base.subarray(keep), sector * SECTOR_BYTES + keep);
  }

  #basesOldestWins(): Bases {
    const oldest: Bases = new Map();
    for (const bases of this.#allBases()) {
      for (const [sector, base] of bases) oldest.set(sector, base);
    }
    return oldest;
  }

  /** Newest first. */
  #allBases(): Bases[] {
    return [this.#unsynced, ...this.#syncing.map((sync) => sync.bases).reverse(), this.#doomed];
  }

  /** Capacity is a whole number of sectors, so that a sector can be cut out without looking at the end. */
  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const sectors = Math.ceil(Math.max(size, 2 * this.#bytes.length) / SECTOR_BYTES);
    const grown = new Uint8Array(sectors * SECTOR_BYTES);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** How many bytes of an unsynced sector reached the platter: all, none, or some. */
function writtenBytes(chance: SeededChance): number {
  const choice = chance.integer(3);
  if (choice === 0) return 0;
  return choice === 1 ? SECTOR_BYTES : 1 + chance.integer(SECTOR_BYTES - 1);
}
