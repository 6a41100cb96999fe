import { AssertionError } from 'node:assert';

type Handler<Given extends readonly unknown[]> = (...given: Given) => unknown;

const FAILURE = () => new AssertionError({ message: 'This failure was asked for by the test.' });

/** A handler that fails its first `times` calls and then is `handler`: to see retries, dead letters and breakers. */
export function failing<Given extends readonly unknown[]>(
  times: number,
  handler: Handler<Given> = () => undefined,
  error: unknown = FAILURE(),
): Handler<Given> {
  let left = times;
  return (...given) => {
    if (left-- > 0) throw error;
    return handler(...given);
  };
}

/** A handler whose first `times` calls never end, and which then is `handler`: to see time limits. */
export function hanging<Given extends readonly unknown[]>(
  times: number,
  handler: Handler<Given> = () => undefined,
): Handler<Given> {
  let left = times;
  return (...given) => (left-- > 0 ? new Promise<never>(() => {}) : handler(...given));
}
