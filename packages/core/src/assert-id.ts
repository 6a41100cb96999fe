import { EventManagerError } from './errors/event-manager-error.ts';

/**
 * What names something is a text. An object in its place is most often the thing itself instead of its id, and over a network
 * it would be asked for as `[object Object]`. Throws `invalid_request`.
 */
export function assertId(id: unknown): asserts id is string {
  if (typeof id === 'string' && id !== '' && id.isWellFormed()) return;
  const given = typeof id === 'string' ? JSON.stringify(id) : id === null ? 'null' : `of the type ${typeof id}`;
  const advice = typeof id === 'object' && id !== null && 'id' in id ? ' Give its id.' : '';
  throw new EventManagerError('invalid_request', `An id or a name is a text; this is ${given}.${advice}`);
}
