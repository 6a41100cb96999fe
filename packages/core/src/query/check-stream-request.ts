import { EventManagerError } from '../errors/event-manager-error.ts';
import { fieldTable, readFields } from '../json/read-fields.ts';

const STREAM_FIELDS = fieldTable(['topics', 'filter', 'subscriber', 'context', 'from']);

/** A mistyped field would otherwise be a stream of everything. Throws `invalid_query` with `details.pointer`. */
export function checkStreamRequest(request: unknown): void {
  const fields = readFields(request, STREAM_FIELDS, { code: 'invalid_query', pointer: '' });
  const topics = fields.get('topics');
  const isList = Array.isArray(topics) && topics.every((topic) => typeof topic === 'string');
  if (topics === undefined || isList) return;
  throw new EventManagerError('invalid_query', 'A list of topic patterns is expected.', { pointer: '/topics' });
}
