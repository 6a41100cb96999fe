import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { BatchResult } from './ingest.ts';
import type { PublishResult } from './publish-result.ts';

/**
 * Gathers what became of the events of one batch: one promise for all of them, because a promise, its closures and its turns
 * of the microtask queue cost as much as normalising an event.
 */
export class BatchAnswers {
  /** Resolves when every event has its answer. Rejects for what is no answer: a bug. */
  readonly all: Promise<readonly BatchResult[]>;
  readonly #results: BatchResult[];
  readonly #done: (results: readonly BatchResult[]) => void;
  readonly #fail: (error: unknown) => void;
  #left: number;

  constructor(count: number) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly BatchResult[]>();
    this.all = promise;
    this.#done = resolve;
    this.#fail = reject;
    this.#results = new Array<BatchResult>(count);
    this.#left = count;
    if (count === 0) resolve(this.#results);
  }

  readonly resolve = (result: PublishResult, at: number): void => this.#put(result, at);

  readonly reject = (error: unknown, at: number): void => {
    if (isEventManagerError(error)) this.#put(error, at);
    else this.#fail(error);
  };

  #put(result: BatchResult, at: number): void {
    this.#results[at] = result;
    if (--this.#left === 0) this.#done(this.#results);
  }
}
