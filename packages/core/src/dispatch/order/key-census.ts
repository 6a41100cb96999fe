import type { KeyEntry } from './key-entry.ts';

/** Of how many keys later events wait, and which of them somebody has to release. */
export class KeyCensus {
  #blocked = 0;
  readonly #parked = new Set<KeyEntry>();

  /** Keys that wait for a retry, go on after one, or are parked. */
  get waiting(): number {
    return this.#blocked;
  }

  get parked(): ReadonlySet<KeyEntry> {
    return this.#parked;
  }

  /** To be called when the key changed. */
  recount(entry: KeyEntry): void {
    const isBlocked = entry.isKept || entry.owed !== undefined || entry.redriven.length > 0;
    const isParked = entry.parked !== undefined;
    this.#blocked += Number(isBlocked) - Number(entry.isBlocked);
    if (isParked && !entry.isParked) this.#parked.add(entry);
    else if (!isParked && entry.isParked) this.#parked.delete(entry);
    entry.isBlocked = isBlocked;
    entry.isParked = isParked;
  }
}
