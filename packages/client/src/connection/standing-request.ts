/**
 * Something that has to be asked for anew on every connection: a subscription with a handler, a stream.
 *
 *     wanted ──ask──▶ asked ──answer──▶ standing
 *       ▲               │                  │ connection lost
 *       │               ├── refused for now, or connection lost
 *       └───────────────┴──────────────────┘
 *
 *     asked ──refused for good──▶ over          any ──stop──▶ over
 *
 * Until the first answer somebody waits for `ready`, for as long as a request may take. After it nobody does: then a refusal
 * for good is told to `ended`.
 */
import { EventManagerError, type Runtime } from '@event-manager/core/portable';
import { backoffMs } from '../backoff.ts';
import type { Connection } from './connection.ts';
import type { AnswerFrame } from './frames.ts';
import type { Requests } from './requests.ts';

export interface StandingRequestOptions {
  readonly connection: Connection;
  readonly requests: Requests;
  readonly runtime: Runtime;
  /** How long the first answer may take. */
  readonly timeoutMs: number;
  /** What to ask, as things are now. */
  readonly frame: () => { readonly type: string; readonly [field: string]: unknown };
  /** Called for the answer on each connection, within the turn in which it came. */
  readonly answered: (frame: AnswerFrame) => void;
  /** Refused for good after it had stood. */
  readonly ended: (error: EventManagerError) => void;
  /** An answer came although nobody wants it any more. */
  readonly unwanted: (frame: AnswerFrame) => void;
  /** Asked about a refusal for good after it had stood: resolves true when asking again may help. */
  readonly mend?: (error: EventManagerError) => Promise<boolean>;
}

export class StandingRequest {
  readonly #options: StandingRequestOptions;
  readonly #first = Promise.withResolvers<void>();
  #state: 'wanted' | 'asked' | 'standing' | 'over' = 'wanted';
  #hasStood = false;
  #refusal: EventManagerError | undefined;
  #refusals = 0;
  #cancelRetry: () => void = () => {};
  readonly #cancelDeadline: () => void;

  constructor(options: StandingRequestOptions) {
    this.#options = options;
    this.#cancelDeadline = options.runtime.timers.after(options.timeoutMs, () => this.#outOfTime(), true);
    // Whoever gives up before it waits does not care.
    this.#first.promise.catch(() => {});
  }

  /** Resolves with the first answer. Throws what the service refused it with, `unreachable`. */
  get ready(): Promise<void> {
    return this.#first.promise;
  }

  get isStanding(): boolean {
    return this.#state === 'standing';
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** Does nothing unless it is wanted and there is a connection. */
  ask(): void {
    const { connection, requests, frame } = this.#options;
    if (this.#state !== 'wanted') return;
    if (!connection.isOpen) {
      connection.need();
      return;
    }
    this.#state = 'asked';
    requests.ask(frame(), {
      answered: (answer) => this.#answered(answer),
      failed: (error) => this.#failed(error),
    });
  }

  /** What the service knew of it is gone with the connection. */
  lost(): void {
    this.#cancelRetry();
    if (this.#state !== 'over') this.#state = 'wanted';
  }

  /** It was given up from this side, but is to be asked for again later. */
  pause(): void {
    if (this.#state === 'standing') this.#state = 'wanted';
  }

  stop(reason: EventManagerError): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#cancelRetry();
    this.#cancelDeadline();
    this.#first.reject(reason);
  }

  #answered(answer: AnswerFrame): void {
    if (this.#state !== 'asked') {
      this.#options.unwanted(answer);
      return;
    }
    this.#state = 'standing';
    this.#hasStood = true;
    this.#refusals = 0;
    this.#cancelDeadline();
    this.#options.answered(answer);
    this.#first.resolve();
  }

  #failed(error: EventManagerError): void {
    // When the connection was lost, the next one asks again.
    if (this.#state !== 'asked' || !this.#options.connection.isOpen) return;
    this.#state = 'wanted';
    this.#refusal = error;
    if (error.retryable) this.#askLater(error);
    else if (this.#hasStood) this.#mend(error).catch((defect: unknown) => this.#end(asError(defect, error)));
    else this.stop(error);
  }

  #askLater(error: EventManagerError): void {
    const { runtime } = this.#options;
    this.#refusals++;
    const waitMs = error.details.retryAfterMs ?? backoffMs(this.#refusals, runtime.chance);
    this.#cancelRetry = runtime.timers.after(waitMs, () => this.ask());
  }

  async #mend(error: EventManagerError): Promise<void> {
    this.#refusals++;
    const mayHelp = this.#refusals === 1 && (await this.#options.mend?.(error));
    if (mayHelp === true) this.ask();
    else this.#end(error);
  }

  #end(error: EventManagerError): void {
    if (this.#state === 'over') return;
    this.stop(error);
    this.#options.ended(error);
  }

  #outOfTime(): void {
    this.stop(this.#refusal ?? new EventManagerError('unreachable', 'The service could not be reached in time.'));
  }
}

function asError(thrown: unknown, otherwise: EventManagerError): EventManagerError {
  return thrown instanceof EventManagerError ? thrown : otherwise;
}
