import { AssertionError } from 'node:assert';

type Handler<Given extends readonly unknown[], Answer> = (...given: Given) => Answer;

const nothing = () => undefined;

/** A handler that fails its first `times` calls and then is `handler`: to see retries, dead letters and breakers. */
export function failing<Given extends readonly unknown[] = [], Answer = undefined>(
  times: number,
  handler: Handler<Given, Answer> = nothing as () => Answer,
  error: unknown = new AssertionError({ message: 'This failure was asked for by the test.' }),
): Handler<Given, Answer> {
  let left = times;
  return (...given) => {
    if (left-- > 0) throw error;
    return handler(...given);
  };
}

/** A handler whose first `times` calls never end, and which then is `handler`: to see time limits. */
export function hanging<Given extends readonly unknown[] = [], Answer = undefined>(
  times: number,
  handler: Handler<Given, Answer> = nothing as () => Answer,
): Handler<Given, Answer | Promise<never>> {
  let left = times;
  return (...given) => (left-- > 0 ? new Promise<never>(() => {}) : handler(...given));
}
