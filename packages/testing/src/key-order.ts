import type { DeliverEntry, OrderPromise, ReleaseEntry } from './history-entry.ts';
import type { PublishedEvent } from './published-events.ts';

interface Refused {
  readonly position: number;
  readonly call: number | undefined;
  /** Somebody released the key since, or it was perhaps not refused at all. */
  isReleased?: boolean;
}

/** How far one key got. */
interface Key {
  /** The highest position that was ever delivered. */
  furthest: number;
  readonly seen: Set<string>;
  /** Events whose latest delivery the receiver refused: they come again, or are given up before a later one comes. */
  readonly refused: Map<string, Refused>;
  /** Refused and passed by a later event. */
  readonly givenUp: Set<string>;
  /** Releases that were asked for and not answered: each may take effect whenever the key is parked meanwhile. */
  releasing: number;
}

/**
 * Holds the deliveries of one ordered subscription against what it promised, key by key:
 *
 * - no event is first delivered after a later one, whatever was interrupted;
 * - an event that was refused and then passed by a later one was given up, so it does not come again, unless an
 *   interruption made the product forget that;
 * - under `park`, after such an event nothing later comes until somebody releases the key.
 *
 * What reached the receiver in one call was refused or taken together. Events whose position nobody knows are not judged.
 */
export class KeyOrder {
  /** The refused events that were passed although they park their key. */
  readonly passedParked: string[] = [];
  readonly #promise: OrderPromise;
  readonly #onInversion: (id: string) => void;
  readonly #keys = new Map<string, Key>();

  constructor(promise: OrderPromise, onInversion: (id: string) => void) {
    this.#promise = promise;
    this.#onInversion = onInversion;
  }

  deliver({ id, call, failed = false }: DeliverEntry, event: PublishedEvent): void {
    const name = event.keys?.[this.#promise.by];
    const { position } = event;
    if (name === undefined || position === undefined) return;
    const key = this.#keyOf(name);
    this.#passRefused(key, id, { position, call });
    const isLate = position < key.furthest && !key.seen.has(id);
    if (isLate || key.givenUp.delete(id)) this.#onInversion(id);
    key.seen.add(id);
    key.furthest = Math.max(key.furthest, position);
    if (failed) key.refused.set(id, { position, call });
    else key.refused.delete(id);
  }

  /** The receiver took what it had. */
  ack(id: string): void {
    for (const key of this.#keys.values()) key.refused.delete(id);
  }

  /** The receiver took it or not: a later event may come without a release, but then it does not come again. */
  maybeAck(id: string): void {
    for (const { refused } of this.#keys.values()) {
      const entry = refused.get(id);
      if (entry) entry.isReleased = true;
    }
  }

  /** What was given up may not have been durable: it may come again. */
  interrupt(): void {
    for (const key of this.#keys.values()) key.givenUp.clear();
  }

  release({ key: name, step }: ReleaseEntry): void {
    const key = this.#keyOf(name);
    if (step !== undefined) key.releasing += step === 'asked' ? 1 : -1;
    for (const refused of key.refused.values()) refused.isReleased = true;
  }

  #passRefused(key: Key, id: string, by: Refused): void {
    for (const [other, { position, call, isReleased }] of key.refused) {
      const isSameCall = call !== undefined && call === by.call;
      if (other === id || position > by.position || isSameCall) continue;
      key.refused.delete(other);
      key.givenUp.add(other);
      if (this.#promise.onFailure === 'park' && !isReleased && key.releasing === 0) this.passedParked.push(other);
    }
  }

  #keyOf(name: string): Key {
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = { furthest: 0, seen: new Set(), refused: new Map(), givenUp: new Set(), releasing: 0 };
      this.#keys.set(name, key);
    }
    return key;
  }
}
