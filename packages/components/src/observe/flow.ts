import { AsyncLocalStorage } from 'node:async_hooks';
import type { ContextFields, FlowFields } from '../component-events.ts';

/** The flow and cause of whatever happens in the component that runs. */
export interface Scope {
  readonly correlationId: string;
  readonly causationId?: string;
}

const scopes = new AsyncLocalStorage<Scope>();

export function enterScope<T>(scope: Scope, call: () => T): T {
  return scopes.run(scope, call);
}

/** Of the component that runs; outside of components that of the context. */
export function flowOf({ correlationId, causationId }: ContextFields): FlowFields {
  const scope = scopes.getStore();
  if (scope !== undefined) return scope;
  return {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
  };
}

/** What is planned here runs as if nothing of the program had asked for it, in the context in which this module was loaded. */
export const outsideOfFlows: <T>(call: () => T) => T = AsyncLocalStorage.snapshot();
