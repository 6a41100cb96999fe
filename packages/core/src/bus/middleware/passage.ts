/**
 * One event in one middleware, from the call until `publish` can answer:
 *
 *     before ──next──▶ passed ──the rest answered, and the middleware ended or its time is up──▶ over
 *       │ ──ends without next──▶ over: kept back
 *       │ ──throws an EventManagerError──▶ over: refused
 *       └──throws anything else, its time is up──▶ over: refused, or passed over where somebody says so
 *
 * Invariants: the rest is entered at most once, so an event is stored at most once whatever a middleware does. Once the event was
 * passed on, the answer is what the rest answered: a middleware that fails afterwards, swallows an error or never ends is counted
 * and told, and changes nothing. Time that the rest takes is not the time of the middleware.
 */
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { wordsOf } from '../../errors/words-of.ts';
import { isThenable } from '../../is-thenable.ts';
import type { Cancel } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { BusPublishResult } from '../bus-publish-result.ts';
import { changedDraft } from './draft-event.ts';
import type { Middleware, MiddlewareContext, MiddlewareEvent, MiddlewareFailure, Next } from './middleware.ts';
import type { MiddlewareCounts } from './middleware-counts.ts';

/** A middleware in the pipeline. */
export interface Step {
  readonly name: string;
  readonly middleware: Middleware;
  readonly counts: MiddlewareCounts;
}

export interface PassageSurroundings {
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** What follows: the next middleware, or the store. */
  readonly rest: (event: MiddlewareEvent) => Promise<BusPublishResult>;
  readonly judge: (failure: MiddlewareFailure) => 'pass' | 'refuse';
}

export class Passage {
  readonly answer: Promise<BusPublishResult>;
  readonly #step: Step;
  readonly #event: MiddlewareEvent;
  readonly #surroundings: PassageSurroundings;
  readonly #startedMs: number;
  #resolve!: (result: BusPublishResult | Promise<BusPublishResult>) => void;
  #reject!: (error: unknown) => void;
  #phase: 'before' | 'passed' | 'over' = 'before';
  #rest: Promise<BusPublishResult> | undefined;
  /** True when the rest has answered, or the middleware has ended: with both it is over. */
  #hasRest = false;
  #hasEnded = false;
  /** Errors that are not this middleware's, or were told already. */
  readonly #known = new Set<unknown>();
  #aborter: AbortController | undefined;
  #expired: EventManagerError | undefined;
  #cancel: Cancel | undefined;

  constructor(step: Step, event: MiddlewareEvent, surroundings: PassageSurroundings) {
    this.#step = step;
    this.#event = event;
    this.#surroundings = surroundings;
    this.#startedMs = surroundings.runtime.clock.monotonicMs();
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    step.counts.seen++;
    this.#call();
  }

  #call(): void {
    const { name, middleware } = this.#step;
    const { runtime } = this.#surroundings;
    const passage = this;
    const context: MiddlewareContext = {
      name,
      runtime,
      get signal() {
        return passage.#signal();
      },
    };
    let ending: Promise<unknown> | undefined;
    try {
      const returned = middleware(this.#event, this.#next, context);
      if (isThenable(returned)) ending = Promise.resolve(returned);
    } catch (error) {
      this.#fail('threw', error);
      return;
    }
    if (!ending) {
      this.#end();
      return;
    }
    if (this.#phase === 'before') this.#startTimer();
    ending.then(
      () => this.#end(),
      (error: unknown) => this.#fail('threw', error),
    );
  }

  readonly #next: Next = (changed) => {
    if (this.#rest) return this.#refuseAgain();
    if (this.#phase === 'over') {
      this.#step.counts.late++;
      return quiet(this.answer);
    }
    const event = changed === undefined ? this.#event : changedDraft(this.#event, changed);
    if (!event) return this.#refuseChange();
    this.#stopTimer();
    this.#phase = 'passed';
    this.#step.counts.passed++;
    this.#took();
    this.#rest = this.#surroundings.rest(event);
    this.#rest.then(
      () => this.#restAnswered(),
      (error: unknown) => {
        this.#known.add(error);
        this.#restAnswered();
      },
    );
    return quiet(this.#rest);
  };

  #refuseAgain(): Promise<BusPublishResult> {
    const error = failure(this.#step.name, 'called next a second time');
    if (this.#phase === 'over') this.#step.counts.late++;
    else this.#tell('next-twice', error);
    return quiet(Promise.reject(error));
  }

  #refuseChange(): Promise<BusPublishResult> {
    const error = failure(this.#step.name, 'passed on what is no event');
    this.#fail('threw', error);
    return quiet(Promise.reject(error));
  }

  #restAnswered(): void {
    this.#hasRest = true;
    if (this.#hasEnded) this.#over();
    else this.#startTimer();
  }

  #end(): void {
    this.#hasEnded = true;
    if (this.#phase === 'before') {
      this.#phase = 'over';
      this.#stopTimer();
      this.#step.counts.filtered++;
      this.#took();
      this.#resolve({ filtered: true, by: this.#step.name });
    } else if (this.#hasRest) this.#over();
  }

  #fail(reason: 'threw' | 'timeout', error: unknown): void {
    if (this.#phase === 'before') {
      this.#phase = 'over';
      this.#stopTimer();
      this.#took();
      this.#decide(reason, error);
      return;
    }
    if (this.#phase === 'passed' && !this.#known.has(error)) this.#tell(reason, error);
    if (reason === 'threw') this.#end();
    else this.#over();
  }

  /** The event was not passed on: its publisher is refused, or it goes on without this middleware. */
  #decide(reason: 'threw' | 'timeout', error: unknown): void {
    const { name, counts } = this.#step;
    if (reason === 'threw' && error instanceof EventManagerError && error.code !== 'middleware_failed') {
      counts.refused++;
      this.#reject(error);
      return;
    }
    if (this.#tell(reason, error) === 'pass') {
      counts.passedOver++;
      this.#resolve(this.#surroundings.rest(this.#event));
      return;
    }
    this.#reject(error instanceof EventManagerError ? error : failure(name, `failed: ${named(error)}`, error));
  }

  #tell(reason: MiddlewareFailure['reason'], error: unknown): 'pass' | 'refuse' {
    const { name, counts } = this.#step;
    if (reason === 'timeout') counts.timedOut++;
    else counts.failed++;
    this.#known.add(error);
    const { runtime, judge } = this.#surroundings;
    const isPassedOn = this.#phase === 'passed';
    return judge({ middleware: name, reason, error, event: this.#event, atMs: runtime.clock.wallMs(), isPassedOn });
  }

  #over(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#stopTimer();
    this.#resolve(this.#rest!);
  }

  #took(): void {
    this.#step.counts.took(this.#surroundings.runtime.clock.monotonicMs() - this.#startedMs);
  }

  #startTimer(): void {
    const { runtime, timeoutMs } = this.#surroundings;
    if (!Number.isFinite(timeoutMs)) return;
    const timeUp = () => {
      const words = `The middleware ${this.#step.name} took longer than ${timeoutMs} ms.`;
      const error = new EventManagerError('middleware_timeout', words, { middleware: this.#step.name, timeoutMs });
      this.#expired = error;
      this.#fail('timeout', error);
      this.#aborter?.abort(error);
    };
    this.#cancel = runtime.timers.after(timeoutMs, timeUp, true);
  }

  #stopTimer(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #signal(): AbortSignal {
    this.#aborter ??= new AbortController();
    if (this.#expired) this.#aborter.abort(this.#expired);
    return this.#aborter.signal;
  }
}

function failure(middleware: string, words: string, cause?: unknown): EventManagerError {
  return new EventManagerError('middleware_failed', `The middleware ${middleware} ${words}.`, { middleware }, cause);
}

function named(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${wordsOf(error)}` : wordsOf(error);
}

/** A rejection that nobody waits for must not end the process: `publish` rejects with it in any case. */
function quiet<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {});
  return promise;
}
