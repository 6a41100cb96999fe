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

/** Without a path: anybody may read it. */
const DAMAGED =
  'The store found damage and serves reads only until it is repaired: ' +
  'stop the service and run event-manager-journal repair on its data directory.';

export function reportHealth(context: OperationContext, _principal: Principal): ServiceHealth {
  const { engine, life, durability, streams, warnings } = context;
  const health = engine.health();
  const damage = health.adapter.status === 'read-only' ? [DAMAGED] : [];
  return { phase: life.phase, durability, streams: streams.size, ...health, warnings: [...damage, ...warnings] };
}

/** Throws `not_ready`, `store_failed`, `store_read_only` or `disk_full` when events cannot be taken now. */
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
    throw new EventManagerError('store_read_only', 'The store found damage and serves reads only.');
  }
  if (health.adapter.status === 'full') {
    throw new EventManagerError('disk_full', 'The disk is full; events are taken again when there is space.');
  }
}
