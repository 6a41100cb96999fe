/**
 * Calls handlers so that whatever they call can tell: it must not wait for the handler that it is part of. Node copies the map of all
 * contexts for each `run`, a sixth of what a delivery in memory allocates; so calls of a handler that answers at once follow one
 * another in one context:
 *
 *     idle ──call──▶ taken ──returns──▶ idle: what it left behind is still inside a handler, and part of no attempt
 *                      └──returns a promise──▶ given away: what runs on is part of its attempt, the next call has another context
 *
 * Of a handler that does now the one and now the other, what a quick call left behind may be taken for a part of a slow one. Whoever
 * drains the subscription from there does not wait for that attempt, and its event comes again.
 *
 * Everything else of the context is that of `subscribe`: handlers see the stores of whoever subscribed, and not those of somebody
 * who happened to publish first of a group.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { DeliverOptions } from '../contracts/sink.ts';
import { isThenable } from '../is-thenable.ts';

/** Options of the attempt; `bus` where the bus itself publishes, which waits for nobody either. */
type Attempt = DeliverOptions | 'bus';

interface Scope {
  attempt: Attempt | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();
const BUS: Scope = Object.freeze({ attempt: 'bus' });

export function isInsideHandler(): boolean {
  return scopes.getStore() !== undefined;
}

/** The attempt whose handler calls; `undefined` elsewhere, and for what outlived a handler that has returned. */
export function callingAttempt(): Attempt | undefined {
  return scopes.getStore()?.attempt;
}

/** What `call` publishes waits for no handler. */
export function callAsBus<Result>(call: () => Result): Result {
  return scopes.run(BUS, call);
}

/** The calls of one handler. */
export class HandlerCalls {
  readonly #home = new AsyncResource('EVENT_HANDLER');
  #idle: { readonly scope: Scope; readonly context: AsyncResource } | undefined;

  /** Throws what `call` throws. */
  run<Answer>(attempt: DeliverOptions, call: () => Answer): Answer {
    const idle = this.#idle;
    if (!idle) return this.#first(attempt, call);
    this.#idle = undefined;
    idle.scope.attempt = attempt;
    let isOver = true;
    try {
      const answer = idle.context.runInAsyncScope(call);
      isOver = !isThenable(answer);
      return answer;
    } finally {
      if (isOver) this.#release(idle);
    }
  }

  /** In a context of its own: handlers that answer with promises never get another one. */
  #first<Answer>(attempt: DeliverOptions, call: () => Answer): Answer {
    const scope: Scope = { attempt };
    const answer = this.#home.runInAsyncScope(() => scopes.run(scope, call));
    if (isThenable(answer)) return answer;
    const context = this.#home.runInAsyncScope(() => scopes.run(scope, () => new AsyncResource('EVENT_HANDLER')));
    this.#release({ scope, context });
    return answer;
  }

  #release(idle: { readonly scope: Scope; readonly context: AsyncResource }): void {
    idle.scope.attempt = undefined;
    this.#idle = idle;
  }
}
