import { type BlockedKey, EventManagerError, type Principal } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

/** Longer ones are shortened before they are kept. */
const KEY_CHARACTERS_MAX = 255;

/**
 * The events behind the dead letter of a parked key go on; answers with the key as it was. Throws `invalid_request`,
 * `subscription_not_found`.
 */
export async function releaseKey(
  { engine }: OperationContext,
  principal: Principal,
  subscriptionId: string,
  input: unknown,
): Promise<BlockedKey> {
  return engine.subscriptions.keys.release(principal, subscriptionId, readKey(input));
}

function readKey(input: unknown): string {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new EventManagerError('invalid_request', 'An object with the key is expected.', { pointer: '' });
  }
  for (const name of Object.keys(input)) {
    if (name === 'key') continue;
    throw new EventManagerError('invalid_request', 'This field is not known.', { pointer: `/${name}` });
  }
  const { key } = input as { key?: unknown };
  if (typeof key === 'string' && key !== '' && [...key].length <= KEY_CHARACTERS_MAX) return key;
  const words = `A key is a text of 1 to ${KEY_CHARACTERS_MAX} characters.`;
  throw new EventManagerError('invalid_request', words, { pointer: '/key' });
}
