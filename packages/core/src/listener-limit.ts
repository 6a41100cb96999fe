import { emitWarning } from 'node:process';

/** The name of every warning of a bus, for `process.on('warning')`. */
export const BUS_WARNING = 'EventBusWarning';

const NAMES_MAX = 1_000;

/**
 * Warns once for each name that more listeners are added to than there should be: most often somebody adds one for each request
 * and takes none away. A limit of 0 never warns.
 */
export class ListenerLimit {
  readonly #max: number;
  readonly #warned = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** So many are there now, the last of them `listener`. */
  added(name: string, count: number, listener: { readonly name: string }): void {
    if (this.#max === 0 || count <= this.#max || this.#warned.has(name)) return;
    if (this.#warned.size < NAMES_MAX) this.#warned.add(name);
    const who = listener.name === '' ? 'a function without a name' : listener.name;
    const words = `${count} listeners of "${name}" are there, the last one is ${who}: is one forgotten that should be taken away?`;
    emitWarning(words, BUS_WARNING);
  }

  /** So many are left. When they are as many as there should be, more are worth another warning. */
  removed(name: string, count: number): void {
    if (count <= this.#max) this.#warned.delete(name);
  }
}
