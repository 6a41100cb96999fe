import type { Event } from '../event/event.ts';
import { assertPlainAnswer } from './assert-plain-answer.ts';
import type { FoldRequest } from './fold-events.ts';

/** The state behind an event. Throws what `apply` throws, and `TypeError` where it returns a promise. */
export function foldStep<State>(apply: FoldRequest<State>['apply'], state: State, event: Event): State {
  const answer = apply(state, event);
  assertPlainAnswer(answer);
  // `null` is a state like any other.
  return answer === undefined ? state : (answer as State);
}
