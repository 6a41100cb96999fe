import type { Script, ScriptValue } from '../lua/script.ts';
import type { Answer, Connection, Reply } from './connection.ts';

/** Asks a script about one store. */
export type AskStore = (script: Script, ...values: readonly ScriptValue[]) => Promise<Reply>;

/** The connection, for scripts about one store: each is told which. */
export class StoreConnection {
  readonly connection: Connection;
  readonly #storeId: () => string;

  constructor(connection: Connection, storeId: () => string) {
    this.connection = connection;
    this.#storeId = storeId;
  }

  ask(script: Script, ...values: readonly ScriptValue[]): Promise<Reply> {
    return this.connection.ask(script, [this.#storeId(), ...values]);
  }

  /** Tells how often it was tried, and takes no longer than it may. */
  askWithin(withinMs: number, script: Script, values: readonly ScriptValue[]): Promise<Answer> {
    return this.connection.askCounted(script, [this.#storeId(), ...values], withinMs);
  }
}
