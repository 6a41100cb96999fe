import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { ReadFields } from '../../json/read-fields.ts';
import { readWhole } from './read-whole.ts';

/** How fast a subscription is delivered to. */
export interface PaceOptions {
  /** Attempts in any 60 seconds; what is beyond waits. Absent: no limit. */
  readonly rateLimitPerMinute?: number;
  /** How long a batch may wait for company while the receiver is busy, milliseconds. Absent: not at all. */
  readonly flushIntervalMs?: number;
  /** An event counts one lane more urgent for each such time that it has waited, milliseconds. Absent: it does not. */
  readonly agingMs?: number;
}

/** Their names, and further spellings. */
export const PACE_FIELDS: readonly string[] = ['rateLimitPerMinute', 'flushIntervalMs', 'smartBatching', 'agingMs'];
export const PACE_SPELLINGS = {
  rateLimit: 'rateLimitPerMinute',
  flushInterval: 'flushIntervalMs',
  batchingEnabled: 'smartBatching',
} as const;

/** `smartBatching` says no more than these. */
export const SMART_BATCH_SIZE = 20;
export const SMART_FLUSH_INTERVAL_MS = 100;

export const RATE_LIMIT_MAX = 1_000_000;
export const FLUSH_INTERVAL_MS_MAX = 60_000;
export const AGING_MS_MAX = 24 * 60 * 60 * 1_000;

/** 0 stands for "none": so what is stored can be taken away. */
export function parsePace(fields: ReadFields): PaceOptions {
  const rateLimitPerMinute = readWhole(fields, 'rateLimitPerMinute', 0, 0, RATE_LIMIT_MAX);
  const flushDefaultMs = isSmart(fields) ? SMART_FLUSH_INTERVAL_MS : 0;
  const flushIntervalMs = readWhole(fields, 'flushIntervalMs', flushDefaultMs, 0, FLUSH_INTERVAL_MS_MAX);
  const agingMs = readWhole(fields, 'agingMs', 0, 0, AGING_MS_MAX);
  return {
    ...(rateLimitPerMinute === 0 ? {} : { rateLimitPerMinute }),
    ...(flushIntervalMs === 0 ? {} : { flushIntervalMs }),
    ...(agingMs === 0 ? {} : { agingMs }),
  };
}

/** The batch size of a subscription that says nothing about it. */
export function defaultBatchSize(fields: ReadFields, inFlightMax: number): number {
  return isSmart(fields) ? Math.min(SMART_BATCH_SIZE, inFlightMax) : 1;
}

/** `smartBatching` stands for two options: where a change gives it, the stored ones must not hide what it says. */
export function withoutPreset(
  stored: Readonly<Record<string, unknown>>,
  changed: ReadonlySet<string | undefined>,
): object {
  if (!changed.has('smartBatching')) return stored;
  const { batchSize: _batchSize, flushIntervalMs: _flushIntervalMs, ...rest } = stored;
  return rest;
}

function isSmart(fields: ReadFields): boolean {
  const value = fields.get('smartBatching');
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw invalid('true or false is expected.', fields.pointer('smartBatching'));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}
