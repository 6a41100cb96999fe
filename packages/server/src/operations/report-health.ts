import { type Durability, type EngineHealth, EventManagerError, type Principal } from '@event-manager/core';
import type { Phase } from '../life.ts';
import type { OperationContext } from './operation-context.ts';

export interface ServiceHealth extends EngineHealth {
  readonly phase: Phase;
  /** The name of this process among those that share the store: its host, and what was drawn at its start. */
  readonly instance: string;
  readonly durability: Durability;
  /** Event streams that are open. */
  readonly streams: number;
  readonly warnings: readonly string[];
}

/** Whether events come in and go out, for whoever watches nothing else. */
export interface EventsHealth {
  readonly status: EngineHealth['status'];
  readonly reason?: string;
  readonly published: number;
  readonly processed: number;
  readonly rejected: number;
  readonly failed: number;
  readonly deadLettered: number;
  readonly queueDepth: number;
  readonly bufferBytes: number;
  readonly progress: EngineHealth['progress'];
}

/** An outage of a server that is shorter is not seen by most who ask. */
const RETRY_AFTER_MS = 1_000;

/** Without a path: anybody may read it. */
const DAMAGED =
  'The store found damage and serves reads only until it is repaired: ' +
  'stop the service and run event-manager-journal repair on its data directory.';

export function reportHealth(context: OperationContext, _principal: Principal): ServiceHealth {
  const { engine, life, instance, durability, streams, warnings } = context;
  const health = engine.health();
  const damage = health.adapter.status === 'read-only' ? [DAMAGED] : [];
  return {
    phase: life.phase,
    instance,
    durability,
    streams: streams.size,
    ...health,
    warnings: [...damage, ...(health.adapter.warnings ?? []), ...warnings],
  };
}

export function reportEventsHealth({ engine }: OperationContext, _principal: Principal): EventsHealth {
  const { status, reason, progress } = engine.health();
  const metrics = engine.metrics();
  return {
    status,
    ...(reason === undefined ? {} : { reason }),
    published: metrics.eventsPublished,
    processed: metrics.eventsProcessed,
    rejected: Object.values(metrics.rejected).reduce((sum, count) => sum + count, 0),
    failed: metrics.eventsFailed,
    deadLettered: metrics.deadLetterCount,
    queueDepth: metrics.queueDepth,
    bufferBytes: metrics.bodyBytes,
    progress,
  };
}

/** Throws `not_ready`, `store_failed`, `store_unavailable`, `store_read_only`, `disk_full` or `stalled` when the service is not fit for work. */
export function assertReady(context: OperationContext): void {
  const error = whyNotReady(context);
  if (error) throw error;
}

/** What `assertReady` throws. */
export function whyNotReady({ engine, life }: OperationContext): EventManagerError | undefined {
  if (life.phase !== 'serving') return new EventManagerError('not_ready', `The service is ${life.phase}.`);
  const { status, adapter, progress } = engine.health();
  if (status === 'failed') {
    return new EventManagerError(
      'store_failed',
      'The store stopped after a failure; a restart recovers what is durable.',
    );
  }
  if (adapter.status === 'read-only') {
    return new EventManagerError('store_read_only', 'The store found damage and serves reads only.');
  }
  if (adapter.status === 'unavailable') {
    const words = 'The store cannot be reached; events are taken again when it can.';
    return new EventManagerError('store_unavailable', words, { retryAfterMs: RETRY_AFTER_MS });
  }
  if (adapter.status === 'full') {
    return new EventManagerError('disk_full', 'The disk is full; events are taken again when there is space.');
  }
  if (progress.stalled > 0) {
    const words = `${progress.stalled} of the subscriptions could go on and make no progress; GET /health names them.`;
    return new EventManagerError('stalled', words, { stalled: progress.stalled });
  }
  return undefined;
}
