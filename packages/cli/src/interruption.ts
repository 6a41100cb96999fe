import type { Ending } from './exit-codes.ts';

/** Why a command ends before it is done: a signal, or nobody reads its output any more. */
export class Interruption {
  readonly #controller = new AbortController();
  #ending: Ending | undefined;

  /** Aborted by the first interruption. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** How the command ends because of it. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** What it was to end is done. */
  cameTooLate(): void {
    this.#ending = undefined;
  }

  by(ending: 'interrupted' | 'terminated' | 'brokenPipe'): void {
    this.#ending ??= ending;
    this.#controller.abort();
  }
}
