import { type Durability, type EngineHealth, EventManagerError, type Principal } from '@event-manager/core';
import type { Phase } from '../life.ts';
import type { OperationContext } from './operation-context.ts';

export interface ServiceHealth extends EngineHealth {
  readonly phase: Phase;
  readonly durability: Durability;
  /** Event streams that are open. */
  readonly streams: number;
  readonly warnings: readonly string[];
}

export function reportHealth(context: OperationContext, _principal: Principal): ServiceHealth {
  const { engine, life, durability, streams, warnings } = context;
  return { phase: life.phase, durability, streams: streams.size, ...engine.health(), warnings };
}

/** Throws `not_ready`, `store_failed` or `store_read_only` when events cannot be taken now. */
export function assertReady(context: OperationContext): void {
  const { engine, life } = context;
  if (life.phase !== 'serving') throw new EventManagerError('not_ready', `The service is ${life.phase}.`);
  const health = engine.health();
  if (health.status === 'failed') {
    throw new EventManagerError(
      'store_failed',
      'The store stopped after a failure; a restart recovers what is durable.',
    );
  }
  if (health.adapter.status === 'read-only') {
    throw new EventManagerError('store_read_only', 'The store found damage and serves reads until it is repaired.');
  }
}
