/**
 * The subscriptions that hold events in the log because they are owed them.
 *
 * What was found out about a subscription stays true while others are asked: a pin moves back by a reset alone, and that is told
 * by its record. So one look at the records of each serves many steps, until the log has been removed up to it or it is reset.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Position } from '../contracts/event-store.ts';
import type { Lease, Revision } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { resetAuditKey } from '../dispatch/superseded.ts';
import type { Event } from '../event/event.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { statePages } from '../state-pages.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { DebtFacts, Fates } from './debt.ts';
import { pinAmong, pinOf, pinOfServed, unreadOf } from './pins.ts';
import { type RemovedDebts, removeDebts } from './remove-debts.ts';

const LEASE_TTL_MS = 30_000;

export interface HoldersOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly meter: Meter;
  readonly owner: string;
  /** All that outlive the process, served here or not, as the store has them now: what this process has not heard of yet is owed as well. */
  readonly durable: () => Promise<readonly SubscriptionDefinition[]>;
  readonly matcherOf: (definition: SubscriptionDefinition) => ((event: Event) => boolean) | undefined;
  /** Takes a subscription out of service, makes the change, and serves it again. */
  readonly whileUnserved: (id: string, change: () => Promise<void>) => Promise<void>;
  /** Durably none any more. */
  readonly onRemoved: (definition: SubscriptionDefinition, removed: RemovedDebts) => void;
}

/** What may go, up to `through`; debts up to `forcedThrough` end. */
export interface ReleaseRequest {
  readonly events: readonly KeptEvent[];
  readonly through: Position;
  readonly forcedThrough: Position;
  /** In this process events are removed. */
  readonly isLeader: boolean;
}

export interface Released {
  /** Nobody needs anything up to here. */
  readonly through: Position;
  /** Subscriptions that need more than that. */
  readonly holding: number;
  /** Debts that were ended. */
  readonly removed: number;
}

interface Holder {
  readonly definition: SubscriptionDefinition;
  /** Another one under the same name is another one, and so is one that was reset: it may begin earlier. */
  readonly life: string;
}

export class Holders {
  readonly #options: HoldersOptions;
  /** Pins of subscriptions that nobody serves here, as they were seen; true still, though they may lie further ahead. */
  readonly #seen = new Map<string, { readonly life: string; readonly pin: Position }>();

  constructor(options: HoldersOptions) {
    this.#options = options;
  }

  /** Ends the debts that are forced and says what is free. */
  async release(request: ReleaseRequest): Promise<Released> {
    const released = { through: request.through, holding: 0, removed: 0 };
    const judged = new Set<string>();
    for (;;) {
      const holders = await this.#all();
      // To end debts takes its time: one that came or was reset meanwhile may begin with the oldest event.
      const fresh = holders.filter(({ life }) => !judged.has(life));
      if (fresh.length === 0) {
        this.#forgetRemoved(holders);
        return { ...released, through: Math.min(released.through, this.stillFree(request)) };
      }
      for (const holder of fresh) {
        judged.add(holder.life);
        const { pin, removed } = await this.#releaseOne(holder, request);
        if (pin < request.through) released.holding++;
        released.through = Math.min(released.through, pin);
        released.removed += removed;
      }
    }
  }

  async #all(): Promise<Holder[]> {
    const resets = new Map<string, Revision>();
    for await (const page of statePages(this.#options.adapter.state, 'audit', resetAuditKey(''))) {
      for (const { key, revision } of page) resets.set(key, revision);
    }
    const definitions = await this.#options.durable();
    return definitions.map((definition) => {
      const { id, createdAtMs } = definition;
      return { definition, life: `${id} ${createdAtMs} ${resets.get(resetAuditKey(id)) ?? 0}` };
    });
  }

  async #releaseOne(
    holder: Holder,
    request: ReleaseRequest,
  ): Promise<{ readonly pin: Position; readonly removed: number }> {
    const { forcedThrough, isLeader } = request;
    const { definition } = holder;
    const pin = await this.#pinOf(holder, request);
    if (pin >= forcedThrough || !(isLeader || this.#active(definition.id))) return { pin, removed: 0 };
    const ended = await this.#end(definition, { ...request, through: forcedThrough });
    // Also where nothing was owed: what only memory knew to be settled is durable by now.
    return { pin: await this.#pinOf(holder, request), removed: ended?.fates.removed ?? 0 };
  }

  /** Of `events` those up to `through` are gone. Where nothing is kept that could be counted, they are counted now. */
  removed(events: readonly KeptEvent[], through: Position): void {
    const { dispatch } = this.#options;
    for (const active of dispatch.active.values()) {
      // What waits in memory is counted when it is found to be gone.
      if (!active.queue.durable) active.count('removed', unreadOf(active, events, through));
    }
  }

  /** Subscriptions that end with this process hold events like others, until these are forced. */
  stillFree({ through, forcedThrough }: Pick<ReleaseRequest, 'through' | 'forcedThrough'>): Position {
    const { dispatch } = this.#options;
    let free = through;
    for (const active of dispatch.active.values()) {
      if (active.queue.durable) continue;
      free = Math.min(free, Math.max(pinOfServed(active, dispatch.route.head), forcedThrough));
    }
    return free;
  }

  async #pinOf({ definition, life }: Holder, { events, through }: ReleaseRequest): Promise<Position> {
    const { adapter, dispatch } = this.#options;
    const active = this.#active(definition.id);
    if (active?.queue.isCommitted) return Math.min(through, pinOfServed(active, dispatch.route.head));
    const known = this.#seen.get(definition.id);
    if (known && known.life === life && known.pin >= through) return through;
    const facts = this.#factsOf(definition, through);
    const pin = await pinOf(adapter.state, facts.keys);
    this.#seen.set(definition.id, { life, pin });
    if (pin >= through || active) return Math.min(pin, through);
    return pinAmong(facts, events);
  }

  #forgetRemoved(holders: readonly Holder[]): void {
    if (this.#seen.size <= holders.length) return;
    const ids = new Set(holders.map(({ definition }) => definition.id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }

  /** `undefined` when nothing was owed, or when another process serves it: then that one ends them. */
  async #end(definition: SubscriptionDefinition, request: ReleaseRequest): Promise<RemovedDebts | undefined> {
    const { adapter, runtime, whileUnserved, onRemoved } = this.#options;
    const { id } = definition;
    let ended: RemovedDebts | undefined;
    const facts = this.#factsOf(definition, request.through);
    const remove = async (lease: Lease | undefined) => {
      ended = await removeDebts({ facts, events: request.events, lease, runtime });
    };
    const lease = this.#active(id)?.lease;
    if (!adapter.supports.shared || lease) await whileUnserved(id, () => remove(lease));
    else await this.#underLease(id, remove);
    if (!ended) return undefined;
    this.#count(id, ended.fates);
    if (ended.fates.removed > 0) onRemoved(definition, ended);
    return ended;
  }

  async #underLease(id: string, remove: (lease: Lease) => Promise<void>): Promise<void> {
    const { adapter, owner } = this.#options;
    const { state } = adapter;
    const options = { owner: `${owner}/retention`, ttlMs: LEASE_TTL_MS };
    const [lease] = await state.acquire([`subscription/${id}`], options);
    if (!lease) return;
    try {
      await remove(lease);
    } finally {
      await state.release([lease]);
    }
  }

  #count(id: string, fates: Fates): void {
    const active = this.#active(id);
    const { deliveries } = this.#options.meter;
    for (const [fate, count] of Object.entries(fates) as [keyof Fates, number][]) {
      if (active) active.count(fate, count);
      else deliveries[fate] += count;
    }
  }

  #factsOf(definition: SubscriptionDefinition, through: Position): DebtFacts {
    const { adapter, dispatch, limits, matcherOf } = this.#options;
    const keys = queueKeys(definition.id, dispatch.partition);
    return { state: adapter.state, keys, definition, limits, matches: matcherOf(definition), through };
  }

  #active(id: string): ActiveSubscription | undefined {
    return this.#options.dispatch.active.get(id);
  }
}
