import type { Engine } from '@event-manager/core';
import type { Life } from '../src/life.ts';
import type { OperationContext } from '../src/operations/operation-context.ts';

/** What operations work with, for a server without a composition: it calls nobody. */
export function contextOf(engine: Engine, life: Life, more: Partial<OperationContext> = {}): OperationContext {
  return {
    engine,
    life,
    streams: new Set(),
    connections: { open: 0, webSockets: 0 },
    durability: 'none',
    instance: 'test',
    checkEndpoints: () => {},
    sendTest: () => Promise.reject(new TypeError('There is nobody to call.')),
    warnings: [],
    ...more,
  };
}
