import { ANONYMOUS, EventManagerError, type JsonValue, type PublishResult } from '@event-manager/core';
import type { OperationContext } from '../../operations/operation-context.ts';
import { publishBatch } from '../../operations/publish-batch.ts';
import { publishEvent } from '../../operations/publish-event.ts';
import { withinEvent } from '../within-event.ts';
import type { Ref } from './client-frame.ts';
import { wireError } from './wire-error.ts';

export interface PublishesOptions {
  readonly context: OperationContext;
  /** Takes one answer in JSON. */
  readonly answer: (json: string) => void;
  /** `count` events were answered. */
  readonly onAnswered: (count: number) => void;
  /** A failure of the service that the client is not told more of. */
  readonly onInternal: (error: unknown) => void;
}

/**
 * Publishes for one connection. Events handed in during one turn of the event loop go to the store together (see `Ingest`),
 * and their answers leave together. A large frame is taken in over several turns: what follows it waits meanwhile, because
 * the order of a connection is the order of its publisher. The window bounds what waits.
 */
export class Publishes {
  readonly #options: PublishesOptions;
  readonly #following: (() => void)[] = [];
  #isTakingIn = false;

  constructor(options: PublishesOptions) {
    this.#options = options;
  }

  one(ref: Ref, event: JsonValue): void {
    if (this.#isTakingIn) {
      this.#following.push(() => this.one(ref, event));
      return;
    }
    const { context } = this.#options;
    publishEvent(context, ANONYMOUS, event).then(
      (result) => this.#answer(ref, 1, `"result":${resultJson(result)}`),
      (error: unknown) => this.#answer(ref, 1, `"error":${this.#errorJson(error)}`),
    );
  }

  many(ref: Ref, events: readonly JsonValue[]): void {
    if (this.#isTakingIn) {
      this.#following.push(() => this.many(ref, events));
      return;
    }
    const { context } = this.#options;
    this.#isTakingIn = true;
    const handedIn = once(() => this.#goOn());
    publishBatch(context, ANONYMOUS, events, handedIn).then(
      (results) => {
        const entries = results.map((result) =>
          result instanceof EventManagerError
            ? `{"error":${this.#errorJson(withinEvent(result))}}`
            : resultJson(result),
        );
        this.#answer(ref, events.length, `"results":[${entries.join()}]`);
      },
      (error: unknown) => {
        handedIn();
        this.#answer(ref, events.length, `"error":${this.#errorJson(error)}`);
      },
    );
  }

  /** Takes in what arrived meanwhile, up to the next frame that needs more than this turn. */
  #goOn(): void {
    this.#isTakingIn = false;
    while (!this.#isTakingIn && this.#following.length > 0) this.#following.shift()!();
  }

  #answer(ref: Ref, count: number, rest: string): void {
    this.#options.answer(`{"ref":${typeof ref === 'number' ? ref : JSON.stringify(ref)},${rest}}`);
    this.#options.onAnswered(count);
  }

  #errorJson(thrown: unknown): string {
    const error = wireError(thrown);
    if (error.code === 'internal') this.#options.onInternal(thrown);
    return JSON.stringify(error);
  }
}

/** A batch that is refused as a whole is never handed in: the refusal then says that it is the next one's turn. */
function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

/** Ids, cursors and times hold nothing that JSON would escape. */
function resultJson({ id, cursor, duplicate, scheduledFor }: PublishResult): string {
  const later = scheduledFor === undefined ? '' : `,"scheduledFor":"${scheduledFor}"`;
  return `{"id":"${id}","cursor":"${cursor}","duplicate":${duplicate}${later}}`;
}
