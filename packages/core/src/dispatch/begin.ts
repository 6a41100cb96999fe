/**
 * Brings into service what was acquired, a number at a time: each reads its records, and a thousand one after the other would
 * take longer than a take-over may. What all of one batch need is read once for all of them before.
 */
import { isEventManagerError } from '../errors/event-manager-error.ts';

const UNDER_WAY_MAX = 64;

export interface BeginOptions {
  /** Reads what all of them need. */
  readonly onPrepare: (ids: readonly string[]) => Promise<void>;
  /** Not `isPrepared` when the store did not answer: then it must not be served. */
  readonly begin: (id: string, isPrepared: boolean) => Promise<void>;
  /** For errors that are not the store's. */
  readonly onFailure: (error: unknown) => void;
}

export class Begin {
  readonly #options: BeginOptions;
  readonly #waiting: { readonly id: string; readonly isPrepared: boolean }[] = [];
  #underWay = 0;
  #preparing = 0;
  #isStopped = false;
  #enders: (() => void)[] = [];

  constructor(options: BeginOptions) {
    this.#options = options;
  }

  add(ids: readonly string[]): void {
    if (ids.length > 0) void this.#prepare(ids);
  }

  /** Nothing more is prepared; `begin` is told of what waits all the same. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when everything that was added so far was begun, or is known not to be. */
  async ended(): Promise<void> {
    while (!this.#isIdle) await new Promise<void>((resolve) => this.#enders.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#preparing === 0 && this.#underWay === 0 && this.#waiting.length === 0;
  }

  async #prepare(ids: readonly string[]): Promise<void> {
    this.#preparing++;
    let isPrepared = false;
    try {
      if (!this.#isStopped) {
        await this.#options.onPrepare(ids);
        isPrepared = true;
      }
    } catch (error) {
      if (!isEventManagerError(error)) this.#options.onFailure(error);
    }
    this.#preparing--;
    for (const id of ids) this.#waiting.push({ id, isPrepared });
    this.#next();
  }

  #next(): void {
    while (this.#underWay < UNDER_WAY_MAX && this.#waiting.length > 0) {
      this.#underWay++;
      void this.#run(this.#waiting.shift()!);
    }
    if (!this.#isIdle) return;
    const enders = this.#enders;
    this.#enders = [];
    for (const ended of enders) ended();
  }

  async #run({ id, isPrepared }: { id: string; isPrepared: boolean }): Promise<void> {
    try {
      await this.#options.begin(id, isPrepared);
    } catch (error) {
      this.#options.onFailure(error);
    }
    this.#underWay--;
    this.#next();
  }
}
