import { isEventManagerError } from '../../errors/event-manager-error.ts';
import { wordsOf } from '../../errors/words-of.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import type { Middleware, MiddlewareFailure } from './middleware.ts';

const RECENT_MAX = 100;

/** An event that was not published as it should have been. */
export interface HandledError {
  /** RFC 3339. */
  readonly at: string;
  readonly eventId: string;
  readonly type: string;
  readonly code: string;
  readonly reason: string;
  /** Who failed; absent where the event was refused, by a middleware or by the bus. */
  readonly middleware?: string | undefined;
}

export interface ErrorHandlingOptions {
  /**
   * Middleware to go on without when it fails: all (`true`), or these. Default: none, because an event that was to be masked or
   * checked would be stored without that. An event that a middleware refuses is refused in any case.
   */
  readonly passOver?: boolean | readonly string[] | undefined;
  /** Told of each. What it throws is nobody's business. */
  readonly onError?: ((handled: HandledError) => void) | undefined;
}

/**
 * One place for what goes wrong in front of the store: counted by code, the last hundred remembered, told, and by `passOver`
 * survived. `bus.use(errors.middleware)`; it hears of failures wherever it stands, and of refusals by those behind it.
 */
export class ErrorHandlingMiddleware {
  readonly middleware: Middleware;
  readonly #passOver: boolean | readonly string[];
  readonly #onError: (handled: HandledError) => void;
  readonly #counts = new Map<string, number>();
  readonly #recent: HandledError[] = [];

  constructor(options: ErrorHandlingOptions = {}) {
    refuseUnknownOptions(options, ['passOver', 'onError'], 'ErrorHandlingMiddleware');
    const { passOver = false, onError = () => {} } = options;
    // In a text a name would be found that only resembles one.
    if (typeof passOver !== 'boolean' && !Array.isArray(passOver)) {
      throw new TypeError('passOver is true, false or a list of names.');
    }
    this.#passOver = passOver;
    this.#onError = onError;
    const errorHandling: Middleware = async ({ id, type }, next, { runtime }) => {
      try {
        await next();
      } catch (error) {
        // What a middleware did wrong was told when it failed.
        if (!isEventManagerError(error, 'middleware_failed') && !isEventManagerError(error, 'middleware_timeout')) {
          this.#handle({ at: timeOf(runtime.clock.wallMs()), eventId: id, type, ...described(error) });
        }
        throw error;
      }
    };
    const onFailure = ({ middleware, reason, error, event, atMs }: MiddlewareFailure) => {
      const code = reason === 'timeout' ? 'middleware_timeout' : 'middleware_failed';
      const { id: eventId, type } = event;
      this.#handle({ at: timeOf(atMs), eventId, type, code, reason: described(error).reason, middleware });
      return this.#goesOnWithout(middleware) ? 'pass' : undefined;
    };
    this.middleware = Object.assign(errorHandling, { onFailure });
  }

  /** How many there were, by code. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** The newest first. */
  get recent(): readonly HandledError[] {
    return this.#recent.toReversed();
  }

  #goesOnWithout(middleware: string): boolean {
    return typeof this.#passOver === 'boolean' ? this.#passOver : this.#passOver.includes(middleware);
  }

  #handle(handled: HandledError): void {
    this.#counts.set(handled.code, (this.#counts.get(handled.code) ?? 0) + 1);
    this.#recent.push(handled);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    try {
      this.#onError(handled);
    } catch {
      // Whoever wants to hear of errors must not cause one.
    }
  }
}

function timeOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function described(error: unknown): { readonly code: string; readonly reason: string } {
  const code = isEventManagerError(error) ? error.code : 'internal';
  return { code, reason: wordsOf(error) };
}
