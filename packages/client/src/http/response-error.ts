import { EventManagerError } from '@event-manager/core/portable';
import { isObject, problemError } from './problem-error.ts';

const MS_PER_SECOND = 1_000;
/** What a proxy says when the service behind it is away. */
const AWAY = new Set([502, 503, 504]);

/** What an answer means that is no success, or none that the service would give. */
export function responseError(response: Response, body: unknown): EventManagerError {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const wait = Number.isFinite(seconds) ? { retryAfterMs: seconds * MS_PER_SECOND } : {};
  if (isObject(body) && body['code'] !== undefined) return problemError(body, wait);
  const { status } = response;
  const details = { status, ...wait };
  if (AWAY.has(status)) return new EventManagerError('unreachable', 'The service is away.', details);
  if (status === 429) return new EventManagerError('overloaded', 'The service has too much to do.', details);
  const code = status >= 400 && status < 500 ? 'invalid_request' : 'internal';
  return new EventManagerError(code, `The answer ${status} does not come from an event manager.`, details);
}
