import { EventManagerError } from '@event-manager/core';
import type { Places } from './beside-exchange.ts';

/**
 * Where the processes of one store speak at Redis. Others may use the same server and the same prefix: heard by them, hints would
 * be of nothing, letters would come to processes that know none of the positions in them, and whoever is there would be counted.
 */
export class StorePlaces implements Places {
  readonly #prefix: string;
  #storeId: string | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Before anything is said: the store is known when it is open. */
  belongTo(storeId: string): void {
    this.#storeId = storeId;
  }

  get all(): string {
    return `${this.#own()}all`;
  }

  one(name: string): string {
    return `${this.#own()}to:${name}`;
  }

  #own(): string {
    if (this.#storeId === undefined) throw new EventManagerError('closed', 'The adapter is not open.');
    return `${this.#prefix}${this.#storeId}:`;
  }
}
