import { EventManagerError } from '../errors/event-manager-error.ts';

export interface SignalEventsOptions {
  /** Ends the iteration when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Values that may wait to be read. Default: 1,000. */
  readonly bufferMax?: number | undefined;
}

const BUFFER_MAX = 1_000;

/** What a signal emits, one after the other. It listens from the moment it is made, and keeps what is not read yet. */
export class SignalEvents<Value> implements AsyncIterableIterator<Value, undefined>, AsyncDisposable {
  readonly #waiting: Value[] = [];
  readonly #readers: PromiseWithResolvers<IteratorResult<Value, undefined>>[] = [];
  readonly #off: () => void;
  #failure: EventManagerError | undefined;
  #isOver = false;

  /** `listen` is given what takes an emitted value, and what ends the iteration: at its end, and when the signal is aborted. */
  constructor(
    listen: (take: (payload: unknown, name: string) => void, end: () => void) => () => void,
    options: SignalEventsOptions,
  ) {
    const { signal, bufferMax: limit = BUFFER_MAX } = options;
    if (!(limit >= 0)) throw new TypeError(`bufferMax is a number from 0 on, not ${limit}.`);
    const take = (payload: unknown, name: string) => this.#take({ name, payload } as Value, limit);
    this.#off = listen(take, () => this.#end());
    if (signal?.aborted) this.#end();
  }

  async next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#waiting.length > 0) return { value: this.#waiting.shift()!, done: false };
    if (this.#failure) throw this.#failure;
    if (this.#isOver) return { value: undefined, done: true };
    const reader = Promise.withResolvers<IteratorResult<Value, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  async return(): Promise<IteratorResult<Value, undefined>> {
    this.#waiting.length = 0;
    this.#end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #take(value: Value, limit: number): void {
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ value, done: false });
    else if (this.#waiting.push(value) > limit) {
      this.#waiting.pop();
      this.#end(new EventManagerError('overloaded', `${limit} emitted values wait to be read.`, { limit }));
    }
  }

  #end(failure?: EventManagerError): void {
    this.#isOver = true;
    this.#failure ??= failure;
    this.#off();
    for (const { resolve } of this.#readers.splice(0)) resolve({ value: undefined, done: true });
  }
}
