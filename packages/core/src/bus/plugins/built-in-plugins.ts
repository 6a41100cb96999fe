import type { JsonObject } from '../../json.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import { ErrorHandlingMiddleware, type ErrorHandlingOptions } from '../middleware/error-handling-middleware.ts';
import { type FilteringOptions, filteringMiddleware } from '../middleware/filtering-middleware.ts';
import { createLoggingMiddleware } from '../middleware/logging-middleware.ts';
import { MetricsMiddleware } from '../middleware/metrics-middleware.ts';
import type { MiddlewareEvent } from '../middleware/middleware.ts';
import { type RateLimitingOptions, rateLimitingMiddleware } from '../middleware/rate-limiting-middleware.ts';
import { validationMiddleware } from '../middleware/validation-middleware.ts';
import type { CreatePlugin, PluginSurroundings } from './plugin.ts';

/** What configuration can say of each: plain values, and no functions. */
export const BUILT_IN_PLUGINS: ReadonlyMap<string, CreatePlugin> = new Map<string, CreatePlugin>([
  ['logging', logging],
  ['metrics', metrics],
  ['filtering', (options) => filteringMiddleware(options as FilteringOptions)],
  ['rate-limiting', rateLimiting],
  ['validation', validation],
  ['error-handling', errorHandling],
]);

const KEYS: ReadonlyMap<unknown, (event: MiddlewareEvent) => string> = new Map([
  ['source', ({ source }: MiddlewareEvent) => source],
  ['type', ({ type }: MiddlewareEvent) => type],
  ['topic', ({ type, topic = type }: MiddlewareEvent) => topic],
]);

function logging(options: JsonObject) {
  refuseUnknownOptions(options, ['payload'], 'logging');
  return createLoggingMiddleware({ payload: options['payload'] === true });
}

function metrics(options: JsonObject) {
  refuseUnknownOptions(options, [], 'metrics');
  const made = new MetricsMiddleware();
  return { middleware: made.middleware, stats: () => made.getMetrics() };
}

/** `key` is a word here: source, type or topic. */
function rateLimiting({ key, ...options }: JsonObject) {
  const given = key === undefined ? undefined : KEYS.get(key);
  if (key !== undefined && !given) throw new TypeError(`key is one of ${[...KEYS.keys()].join(', ')}.`);
  return rateLimitingMiddleware({ ...(options as unknown as RateLimitingOptions), key: given });
}

function validation(options: JsonObject, { schemas: compiler }: PluginSurroundings) {
  refuseUnknownOptions(options, ['schemas', 'otherTypes'], 'validation');
  const { schemas = {}, otherTypes } = options as {
    schemas?: { [type: string]: JsonObject };
    otherTypes?: 'pass' | 'refuse';
  };
  return validationMiddleware(schemas, { compiler, otherTypes });
}

function errorHandling(options: JsonObject) {
  const made = new ErrorHandlingMiddleware(options as ErrorHandlingOptions);
  return { middleware: made.middleware, stats: () => ({ counts: made.counts, recent: made.recent }) };
}
