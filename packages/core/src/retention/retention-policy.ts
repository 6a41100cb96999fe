import type { EventBusAdapter } from '../contracts/adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** A subscriber that was away for longer is not coming back without anybody looking. */
const OWED_AGE_MS = 30 * DAY_MS;

/**
 * How much of the log is kept. Without a limit by age, bytes or count everything is. What a durable subscription is still owed
 * stays beyond these limits, until it is older than `owedAgeMs` or the log larger than `owedBytesMax`.
 */
export interface RetentionOptions {
  /** Events that the log took longer ago than this go. Milliseconds. */
  readonly ageMs?: number | undefined;
  /** The oldest events go while the log is larger than this. */
  readonly bytesMax?: number | undefined;
  /** The oldest events go while there are more than this. */
  readonly eventsMax?: number | undefined;
  /** How old an event becomes at most because somebody is owed it. Default: 30 days. */
  readonly owedAgeMs?: number | undefined;
  /** How large the log becomes at most because of what is owed. Default: as large as it takes. */
  readonly owedBytesMax?: number | undefined;
}

/** The same with every limit; `Infinity` where there is none. */
export type RetentionPolicy = { readonly [Name in keyof RetentionOptions]-?: number };

const NAMES = ['ageMs', 'bytesMax', 'eventsMax', 'owedAgeMs', 'owedBytesMax'] as const;

/**
 * `undefined` when everything is kept. Throws `TypeError` for what cannot be meant, and `not_supported` for limits of single
 * topics: a log gives up its oldest end, and events of other topics stand there too.
 */
export function readRetention(
  options: RetentionOptions | undefined,
  adapter: EventBusAdapter,
): RetentionPolicy | undefined {
  if (options === undefined) return undefined;
  for (const [name, value] of Object.entries(options)) {
    if (name === 'topics') throw byTopic();
    if (!(NAMES as readonly string[]).includes(name)) throw new TypeError(`retention has no option ${name}.`);
    const isRight = value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 1);
    if (!isRight) throw new TypeError(`retention.${name} is a number from 1 on.`);
  }
  const { ageMs, bytesMax, eventsMax, owedAgeMs = OWED_AGE_MS, owedBytesMax } = options;
  if (ageMs === undefined && bytesMax === undefined && eventsMax === undefined) return undefined;
  if (!adapter.supports.trim) {
    throw new EventManagerError('not_supported', `The adapter ${adapter.name} cannot remove old events.`);
  }
  const none = Number.POSITIVE_INFINITY;
  return {
    ageMs: ageMs ?? none,
    bytesMax: bytesMax ?? none,
    eventsMax: eventsMax ?? none,
    owedAgeMs,
    owedBytesMax: owedBytesMax ?? none,
  };
}

function byTopic(): EventManagerError {
  const words =
    'Retention has one limit for all topics: the log gives up its oldest end, where events of every topic stand side by side.';
  return new EventManagerError('not_supported', words, { pointer: '/retention/topics' });
}
