import type { Contexts } from '../context/contexts.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { StateStore } from '../contracts/state-store.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { compileFilter } from '../filter/filter.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { statePages } from '../state-pages.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { Subscriptions } from '../subscription/subscriptions.ts';
import { Holders } from './holders.ts';
import type { RemovedDebts } from './remove-debts.ts';
import { Retention } from './retention.ts';
import type { RetentionOptions } from './retention-policy.ts';

/** Wires retention to the subscriptions and the log of one partition. Throws what `readRetention` throws. */
export function openRetention(parts: {
  adapter: EventBusAdapter;
  dispatch: PartitionDispatch;
  runtime: Runtime;
  limits: Limits;
  meter: Meter;
  owner: string;
  contexts: Contexts;
  subscriptions: Subscriptions;
  options: RetentionOptions | undefined;
  onRemoved: (definition: SubscriptionDefinition, removed: RemovedDebts) => void;
  onFailure: (error: unknown) => void;
}): Retention {
  const { adapter, dispatch, runtime, limits, meter, owner, contexts, subscriptions, onRemoved, onFailure } = parts;
  const holders = new Holders({
    ...{ adapter, dispatch, runtime, limits, meter, owner, onRemoved },
    durable: async () => (adapter.supports.shared ? storedDefinitions(adapter.state) : subscriptions.durable()),
    matcherOf: (definition) => definition.filter && compileFilter(definition.filter, contexts.cellOf(definition)),
    whileUnserved: (id, change) => subscriptions.whileUnserved(id, change),
  });
  const { trimHere } = subscriptions.resets;
  return new Retention({ adapter, dispatch, runtime, holders, trimHere, owner, onFailure }, parts.options);
}

/** Where several processes share a store, one may have created a subscription that the others have not heard of. */
async function storedDefinitions(state: StateStore): Promise<SubscriptionDefinition[]> {
  const definitions: SubscriptionDefinition[] = [];
  for await (const page of statePages(state, 'subscription')) {
    for (const { value } of page) definitions.push(value as unknown as SubscriptionDefinition);
  }
  return definitions;
}
