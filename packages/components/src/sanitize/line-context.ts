import { type ProgramFlags, programFlags } from './program-flags.ts';
import type { SecretName } from './secret-names.ts';

/** What the words of a line before say of those that follow: how a program is given secrets, and which values a statement stores. */
export class LineContext {
  #flags: ProgramFlags | undefined;
  /** `secret`: one of the columns that are named is one. */
  #insert: 'nothing' | 'columns' | 'secret' = 'nothing';

  /** True when all texts in quotes from here on are values of secret columns: `INSERT INTO users (…, password) VALUES`. */
  hear(word: string, named: SecretName): boolean {
    const flags = programFlags(word);
    if (flags) this.#flags = flags;
    else if (this.#flags?.isAccount) this.#flags = undefined;
    if (word === 'login' && this.#flags?.atLogin) this.#flags = { separate: this.#flags.atLogin };
    const statement = word.length <= 7 ? word.toUpperCase() : '';
    if (statement === 'INSERT' || statement === 'REPLACE') this.#insert = 'columns';
    else if (this.#insert === 'columns' && named !== undefined) this.#insert = 'secret';
    return this.#insert === 'secret' && statement === 'VALUES';
  }

  get flags(): ProgramFlags {
    return this.#flags ?? {};
  }

  /** The line, the command or the statement is over. */
  end(): void {
    this.#flags = undefined;
    this.#insert = 'nothing';
  }
}
