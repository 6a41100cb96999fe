import type { Position } from '../../contracts/event-store.ts';
import { Fifo } from './fifo.ts';
import type { KeyEntry } from './key-entry.ts';

/** The keys whose next event may be attempted, in the order in which they came so far: those with a suspect go one at a time. */
export class KeyLines {
  readonly #turns = new Fifo<KeyEntry>();
  readonly #suspects = new Fifo<KeyEntry>();

  /** A key could go on now. */
  hasTurn(suspectUnderWay: boolean): boolean {
    return this.#turns.size > 0 || (!suspectUnderWay && this.#suspects.size > 0);
  }

  /** The key that goes on next. */
  first(suspectUnderWay: boolean): KeyEntry | undefined {
    return this.#turns.peek() ?? (suspectUnderWay ? undefined : this.#suspects.peek());
  }

  /** Positions of the first keys, for reading their bodies together. */
  upcoming(most: number): Position[] {
    const positions: Position[] = [];
    for (const line of [this.#turns, this.#suspects]) {
      for (let ahead = 0; positions.length < most; ahead++) {
        const entry = line.peekAhead(ahead);
        if (!entry) break;
        positions.push(entry.next!);
      }
    }
    return positions;
  }

  join(entry: KeyEntry): void {
    entry.standing = entry.isNextSuspect ? 'suspect' : 'turn';
    this.#lineOf(entry).push(entry);
  }

  /** To be called for the one that stands first. */
  leave(entry: KeyEntry): void {
    const line = this.#lineOf(entry);
    if (line.peek() !== entry) throw new TypeError('The key does not stand first in its line.');
    line.shift();
    entry.standing = 'nowhere';
  }

  #lineOf({ standing }: KeyEntry): Fifo<KeyEntry> {
    return standing === 'suspect' ? this.#suspects : this.#turns;
  }
}
