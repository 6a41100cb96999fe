import { type DeadLetter, EventManagerError, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** One dead letter with its event and its errors. Throws `dead_letter_not_found`. */
export async function getDeadLetter(context: OperationContext, principal: Principal, id: string): Promise<DeadLetter> {
  const letter = await context.engine.deadLetters.get(principal, id.toLowerCase());
  if (letter) return letter;
  throw new EventManagerError('dead_letter_not_found', 'No dead letter with this id is kept.');
}
