import { EventManagerError } from '../errors/event-manager-error.ts';
import { type EventPriority, parsePriority } from '../event/priority.ts';
import { readTimeMs } from '../ingest/read-time.ts';
import { type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { decodeCursor } from '../query/cursor.ts';
import { DEFAULT_RETRY_POLICY, parseRetryPolicy } from '../retry/retry-policy.ts';
import { isReserved, parseTopic } from '../topic/topic.ts';
import { parseDeliveryLog } from './options/delivery-log-options.ts';
import { parseFailure } from './options/failure-options.ts';
import { parseOrder } from './options/order-options.ts';
import { defaultBatchSize, parsePace } from './options/pace-options.ts';
import { readWhole } from './options/read-whole.ts';
import { refuseWithoutEffect } from './options/without-effect.ts';
import type { StartFrom, SubscriptionOptions, SubscriptionSink } from './subscription.ts';
import { OPTION_FIELDS, START_FIELDS } from './subscription-fields.ts';

/**
 * One call of a handler at a time keeps order; a webhook waits on the network, so ten calls at a time keep it busy. What is on
 * its way through a socket waits for the network, too, and comes in order whatever their number.
 */
const CONCURRENCY_DEFAULTS = { handler: 1, webhook: 10, socket: 32, websocket: 32, pull: 100 } as const;
const CONCURRENCY_MAX = 1_000;
/** Webhook receivers are asked to answer first and work later (Standard Webhooks: 15 to 30 s). */
const TIMEOUT_MS_DEFAULTS = {
  handler: 30_000,
  webhook: 15_000,
  socket: 30_000,
  websocket: 30_000,
  pull: 30_000,
} as const;
const TIMEOUT_MS_MAX = 60 * 60 * 1_000;

/** Reads a subscription's options and puts in the defaults of its kind of sink. */
export function parseOptions(
  input: unknown,
  kind: SubscriptionSink['kind'],
  limits: Limits,
  pointer: string,
): SubscriptionOptions {
  const fields = readFields(input, OPTION_FIELDS, { code: 'invalid_subscription', pointer });
  const priority = readMinimum(fields);
  const retry = fields.get('retryPolicy');
  const deadLetterTopic = readDeadLetterTopic(fields, limits);
  const inFlightMax = readWhole(fields, 'inFlightMax', limits.inFlightMax, 1, limits.inFlightMax);
  const batchSize = readWhole(fields, 'batchSize', defaultBatchSize(fields, inFlightMax), 1, limits.inFlightMax);
  if (batchSize > inFlightMax) throw invalid('A batch cannot be larger than inFlightMax.', fields.pointer('batchSize'));
  const options = {
    ...(priority === undefined ? {} : { priority }),
    batchSize,
    maxConcurrency: readWhole(fields, 'maxConcurrency', CONCURRENCY_DEFAULTS[kind], 1, CONCURRENCY_MAX),
    timeoutMs: readWhole(fields, 'timeoutMs', TIMEOUT_MS_DEFAULTS[kind], 1, TIMEOUT_MS_MAX),
    inFlightMax,
    retry: retry === undefined ? DEFAULT_RETRY_POLICY : parseRetryPolicy(retry, fields.pointer('retryPolicy')),
    ...(deadLetterTopic === undefined ? {} : { deadLetterTopic }),
    startFrom: readStart(fields),
    ...parseDeliveryLog(fields),
    ...parsePace(fields),
    ...parseOrder(fields),
    ...parseFailure(fields),
  };
  refuseWithoutEffect(
    (name) => fields.get(name),
    (name) => fields.pointer(name),
  );
  return options;
}

function readMinimum(fields: ReadFields): EventPriority | undefined {
  const value = fields.get('priority');
  if (value === undefined) return undefined;
  const priority = parsePriority(value);
  if (priority !== undefined) return priority;
  throw invalid('A priority is CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 3.', fields.pointer('priority'));
}

function readDeadLetterTopic(fields: ReadFields, limits: Limits): string | undefined {
  const value = fields.get('deadLetterTopic');
  if (value === undefined) return undefined;
  const pointer = fields.pointer('deadLetterTopic');
  if (typeof value !== 'string') throw invalid('A topic is a text.', pointer);
  if (!isReserved(parseTopic(value, limits, pointer))) return value;
  throw new EventManagerError('topic_reserved', 'Topics under $sys belong to the bus itself.', { pointer });
}

function readStart(fields: ReadFields): StartFrom {
  const value = fields.get('startFrom');
  if (value === undefined) return 'latest';
  if (value === 'latest' || value === 'earliest') return value;
  const pointer = fields.pointer('startFrom');
  if (typeof value === 'string') throw invalid('latest, earliest, {cursor} or {time} is expected.', pointer);
  const start = readFields(value, START_FIELDS, { code: 'invalid_subscription', pointer });
  const cursor = start.get('cursor');
  const time = start.get('timeMs');
  if ((cursor === undefined) === (time === undefined)) {
    throw invalid('A start has either a cursor or a time.', pointer);
  }
  if (time !== undefined) return { timeMs: readTimeMs(time, start.pointer('timeMs'), 'invalid_subscription') };
  if (typeof cursor !== 'string') throw invalid('A cursor is a text.', start.pointer('cursor'));
  decodeCursor(cursor, start.pointer('cursor'));
  return { cursor };
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}
