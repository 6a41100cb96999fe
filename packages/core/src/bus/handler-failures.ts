import { emitWarning } from 'node:process';
import { wordsOf } from '../errors/words-of.ts';
import type { Event } from '../event/event.ts';
import { BUS_WARNING } from '../listener-limit.ts';

/** Which attempt failed. */
export interface HandlerFailure {
  /** As it is stored. */
  readonly event: Event;
  /** Topic or pattern of the subscription. */
  readonly topic: string;
  readonly subscriptionId: string;
  /** 1 for the first. */
  readonly attempt: number;
}

export type OnHandlerError = (error: unknown, failure: HandlerFailure) => void;

const TOLD_MAX = 1_000;

/**
 * Tells what handlers fail with. Nobody waits for a handler, and a dead letter is looked for by those who know of them: a program whose
 * handlers all throw would look as if nothing were ever published. So where nobody listens, the first failure of each subscription is
 * a warning of the process.
 */
export class HandlerFailures {
  readonly #onError: OnHandlerError;

  constructor(onError: OnHandlerError = warnOnce()) {
    this.#onError = onError;
  }

  tell(error: unknown, failure: HandlerFailure): void {
    try {
      this.#onError(error, failure);
    } catch (another) {
      emitWarning(`onHandlerError failed: ${wordsOf(another)}`, BUS_WARNING);
    }
  }
}

function warnOnce(): OnHandlerError {
  const told = new Set<string>();
  return (error, { event, topic, subscriptionId, attempt }) => {
    if (told.has(subscriptionId) || told.size >= TOLD_MAX) return;
    told.add(subscriptionId);
    const what = `The handler of "${topic}" failed at ${event.type} (event ${event.id}, attempt ${attempt}): ${traceOf(error)}`;
    emitWarning(
      `${what}\nFurther failures of this subscription are not told here; onHandlerError hears of each.`,
      BUS_WARNING,
    );
  };
}

function traceOf(error: unknown): string {
  return error instanceof Error && typeof error.stack === 'string' ? error.stack : wordsOf(error);
}
