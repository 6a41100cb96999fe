/**
 * Which subscriptions this process serves, and how one comes into service and leaves it again.
 *
 * A named subscription with a handler or a socket is served while one is attached to it in this process, every other one
 * always; where several processes share a store, both only under their lease.
 *
 *     known ──serve, or lease──▶ served ──leave──▶ known, handler and lease given up
 *                                  │ ▲
 *                            replace │ a refused commit: the same queue goes on, nothing is lost
 *                                  ▼ │
 *                                 drained
 *
 * Changes of one subscription run one after the other (`exclusive`), and a lease that comes meanwhile goes back: whoever
 * changes asks for it again at the end. A lease is given back after the definition is gone, and read again after the
 * lease was given: so nobody begins to serve what somebody else removed.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Position } from '../contracts/event-store.ts';
import type { Sink } from '../contracts/sink.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { forgive } from '../dispatch/failure/forgive.ts';
import { type HeldLease, LeaseKeeper, type Wanted } from '../dispatch/leases.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { callingAttempt } from '../sink/handler-calls.ts';
import { type Attached, isAttachable, type LeftReason, needsAttaching } from './attached.ts';
import type { Attachments } from './attachments.ts';
import type { Catalog } from './catalog.ts';
import { ChangesInTurn } from './changes-in-turn.ts';
import type { Elsewhere } from './elsewhere/elsewhere.ts';
import { makeSink, type WaysOut } from './make-sink.ts';
import type { Pulls } from './pulls.ts';
import type { SubscriptionDefinition } from './subscription.ts';

const UPDATE_DRAIN_MS = 5_000;
const FOLLOW_AGAIN_MS = 1_000;
/** How long nothing is begun so that a subscription can pass to another process, and how long it is left alone where that did not do. */
const YIELD_MS = 1_000;
const YIELD_AGAIN_MS = 30_000;

export interface LeaveOptions {
  /** Time for attempts under way; what has not ended by then is released, which costs no failure. */
  readonly drainMs?: number | undefined;
  /** Told to whoever was attached; absent when it left by itself. */
  readonly reason?: LeftReason | undefined;
}

export interface DutyOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  readonly catalog: Catalog;
  /** The handlers and sockets of this process. */
  readonly attachments: Attachments;
  readonly pulls: Pulls;
  readonly ways: WaysOut;
  readonly owner: string;
  /** What other processes do for this one, and it for them. */
  readonly elsewhere: () => Elsewhere | undefined;
  /** For what nobody waits for and the store is not the reason of. */
  readonly onFailure: (error: unknown) => void;
}

export class Duty {
  readonly #options: DutyOptions;
  readonly #leases: LeaseKeeper | undefined;
  readonly #changes = new ChangesInTurn();
  #closing = false;
  #moved = 0;
  /** When a subscription that could not be given back is tried again. */
  readonly #yieldAgainAtMs = new Map<string, number>();

  constructor(options: DutyOptions) {
    const { adapter, runtime, owner } = options;
    this.#options = options;
    if (!adapter.supports.shared) return;
    this.#leases = new LeaseKeeper({
      state: adapter.state,
      runtime,
      owner,
      wanted: () => this.#wanted(),
      room: () => options.elsewhere()?.placement.room ?? Number.POSITIVE_INFINITY,
      isNext: (id) => options.elsewhere()?.placement.isNext(id) ?? true,
      onPrepare: (ids) => this.#prepare(ids),
      onAcquired: (id, held) => this.#acquired(id, held),
      onLost: async (id) => this.#drop(id),
      onRevived: (id) => this.#wake(id),
      onLooked: () => options.elsewhere()?.looked(),
      onFailure: options.onFailure,
    });
  }

  /** Serves what needs nobody attached. */
  async start(): Promise<void> {
    if (this.#leases) {
      this.#leases.poke();
      return;
    }
    // All at once, so that they share the scan of the log that reads back what they are owed.
    const always = this.#options.catalog.list().filter((definition) => !needsAttaching(definition));
    await Promise.all(always.map((definition) => this.serve(definition)));
  }

  /** Somebody else may have changed something. */
  poke(): void {
    this.#leases?.hint();
  }

  /** Looks now who serves what: somebody gave something back. */
  look(): void {
    this.#leases?.poke();
  }

  isHeld(id: string): boolean {
    return this.#leases?.isHeld(id) === true;
  }

  /** Who else served it when this process looked last. */
  holderOf(id: string): string | undefined {
    return this.#leases?.holderOf(id);
  }

  /** Subscriptions whose lease this process has; leases that came and that were lost. */
  get leases(): { held: number; acquired: number; lost: number; moved: number } {
    const { heldCount: held = 0, counts = { acquired: 0, lost: 0 } } = this.#leases ?? {};
    return { held, ...counts, moved: this.#moved };
  }

  /**
   * Another process should serve it: when what is under way has ended, it is given back and that one is told. Nothing is given
   * up for the sake of it: where an attempt takes long it stays here, and is tried again later.
   */
  giveBack(id: string, to: string | undefined): void {
    const nowMs = this.#options.runtime.clock.monotonicMs();
    if (this.#changes.has(id) || this.#closing || nowMs < (this.#yieldAgainAtMs.get(id) ?? 0)) return;
    this.#yieldAgainAtMs.set(id, nowMs + YIELD_AGAIN_MS);
    this.#changes
      .run(id, () => this.#giveBack(id, to))
      .catch((error: unknown) => {
        if (!isEventManagerError(error)) this.#options.onFailure(error);
      });
  }

  /** One change of a subscription after the other. */
  async exclusive<T>(id: string, change: () => Promise<T>): Promise<T> {
    try {
      return await this.#changes.run(id, change);
    } finally {
      if (!this.#changes.has(id)) this.#leases?.poke();
    }
  }

  /** Resolves when changes of a subscription are through, and it is known whether its lease came here. */
  async changed(id: string): Promise<void> {
    await this.exclusive(id, async () => {});
    await this.#leases?.asked();
  }

  /** A handler or socket of this process takes up a durable subscription. Nothing is attached when serving fails. */
  async attach(definition: SubscriptionDefinition, attached: Attached): Promise<void> {
    const { attachments } = this.#options;
    attachments.join(definition.id, attached);
    try {
      await this.serve(definition);
    } catch (error) {
      await attachments.leave(definition.id, attached, { drainMs: 0 });
      throw error;
    }
  }

  /** One member leaves: others go on, and if it was the last nothing is attempted. */
  leaveOne(id: string, attached: Attached, drainMs = UPDATE_DRAIN_MS): Promise<void> {
    return this.#options.attachments.leave(id, attached, { drainMs, caller: callingAttempt() });
  }

  /** Serves a durable subscription if this process can; where leases decide, `exclusive` asks for one at its end. */
  async serve(definition: SubscriptionDefinition): Promise<void> {
    if (!this.#leases) await this.#bringUp(definition, undefined);
  }

  /** Serves a subscription that ends with this process. */
  async serveHere(definition: SubscriptionDefinition, attached: Attached, floor: Position): Promise<void> {
    this.#options.attachments.join(definition.id, attached);
    const sink = this.#sinkOf(definition) ?? attached.sink;
    await this.#options.dispatch.serving.bringUp({ definition, sink, durable: false, floor });
  }

  /** Drains a subscription, makes `change`, and serves `definition`. When `change` is refused it is served on as it was. */
  async replace(definition: SubscriptionDefinition, change: () => Promise<void>): Promise<void> {
    const caller = callingAttempt();
    const active = this.#options.dispatch.active.get(definition.id);
    if (![...(active?.underWay() ?? [])].some((attempt) => attempt === caller)) {
      await this.#swap(definition, change);
      return;
    }
    // Draining would wait for the attempt that waits for us, and giving that up would deliver its event once more.
    await change();
    this.follow(definition.id);
  }

  /** Drains a subscription, makes `change`, and gives up its members and the lease. When `change` is refused nothing happened. */
  async leave(id: string, change: () => Promise<void>, options: LeaveOptions = {}): Promise<void> {
    const { drainMs, reason } = options;
    const before = await this.#outOfService(id, change, { caller: callingAttempt(), drainMs });
    const members = this.#options.attachments.remove(id, reason);
    this.#yieldAgainAtMs.delete(id);
    await this.#free(id);
    // Where another process has the lease nothing is served here, but somebody is attached all the same.
    await members?.close();
    if (before && !needsAttaching(before.definition)) await before.sink.close();
  }

  /** The store refused a commit under the lease of `subscription`. */
  leaseLost(subscription: ActiveSubscription): void {
    const { id, held } = subscription;
    if (held && this.#leases?.holds(id, held)) this.#leases.forget(id);
    // What goes on beside it has its lease.
    const active = this.#options.dispatch.active.get(id);
    if (active && (active === subscription || (held && active.held === held))) this.#drop(id);
  }

  /** Another process removed it, and maybe made one of the same name: whoever wants that one reads it anew. */
  replaced(subscription: ActiveSubscription): void {
    const { id, held } = subscription;
    const isHeld = held && this.#leases?.holds(id, held);
    if (this.#options.dispatch.active.get(id) === subscription) this.#drop(id);
    if (!isHeld) return;
    const look = () => this.#leases?.poke();
    this.#leases!.release(id).then(look).catch(this.#options.onFailure);
  }

  /** Leases are neither renewed nor given back: what is under way here may go on until they have run out. */
  halt(): void {
    this.#leases?.stop().catch(this.#options.onFailure);
  }

  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    await this.#leases?.stop();
    await this.#changes.ended();
    const active = [...this.#options.dispatch.active.values()];
    const ends = active.map((subscription) => this.#end(subscription, drainMs));
    const results = await Promise.allSettled([...ends, this.#leaveOwners(drainMs)]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Drains what is served, in the background, and serves what the catalog says; tried again until it is done. */
  follow(id: string): void {
    const { catalog, dispatch, runtime, onFailure } = this.#options;
    const swap = async () => {
      const definition = catalog.get(id);
      const active = dispatch.active.get(id);
      if (!definition || !active || active.definition === definition) return;
      if (isResumed(active.definition, definition)) forgive(active, dispatch.dispatcher, runtime.clock);
      await this.#swap(definition, async () => {});
    };
    this.#changes.run(id, swap).catch((error: unknown) => {
      if (!isEventManagerError(error)) onFailure(error);
      else if (!this.#closing) runtime.timers.after(FOLLOW_AGAIN_MS, () => this.follow(id));
    });
  }

  async #giveBack(id: string, to: string | undefined): Promise<void> {
    const elsewhere = this.#options.elsewhere();
    const active = this.#options.dispatch.active.get(id);
    if (!active?.held || !elsewhere) return;
    if (!(await this.#options.dispatch.dispatcher.yield(active, YIELD_MS))) return;
    // Before it is free: a third one that looks just then would take it, and it would come to its place a second later.
    if (to !== undefined) elsewhere.placement.reserveFor(id, to);
    await this.#outOfService(id, async () => {});
    this.#yieldAgainAtMs.delete(id);
    elsewhere.remote.forget(id);
    await this.#leases?.release(id);
    elsewhere.peers.post({ kind: 'free', subscription: id, ...(to === undefined ? {} : { to }) });
    this.#moved++;
    if (!needsAttaching(active.definition)) await active.sink.close();
  }

  async #swap(definition: SubscriptionDefinition, change: () => Promise<void>): Promise<void> {
    const { id } = definition;
    const before = await this.#outOfService(id, change);
    try {
      if (before && !this.#options.catalog.isDurable(id)) {
        const { sink, queue: predecessor } = before;
        await this.#options.dispatch.serving.bringUp({ definition, sink, durable: false, floor: 0, predecessor });
      } else if (before?.held) {
        const isServed = this.#leases?.holds(id, before.held) && (await this.#bringUp(definition, before.held));
        // Its last member may just be leaving: kept, the lease would be in the way of one that joins.
        if (!isServed) await this.#free(id);
      } else {
        await this.serve(definition);
      }
    } catch (error) {
      // Held but not served would be served by nobody: whoever asks first shall have it.
      await this.#free(id);
      throw error;
    } finally {
      if (before && !needsAttaching(before.definition)) await before.sink.close();
    }
  }

  async #end(subscription: ActiveSubscription, drainMs: number): Promise<void> {
    const { id, definition, sink } = subscription;
    // Whoever leased a delivery cannot answer any more.
    const waitMs = definition.sink.kind === 'pull' ? 0 : drainMs;
    try {
      await this.#options.dispatch.serving.takeDown(subscription, waitMs);
    } finally {
      await this.#free(id);
      await this.#options.attachments.of(id)?.close();
      if (!needsAttaching(definition)) await sink.close();
    }
  }

  /** Members of this process finish what they have in hand for owners elsewhere. */
  async #leaveOwners(drainMs: number): Promise<void> {
    const { attachments, dispatch } = this.#options;
    const ids = attachments.ids.filter((id) => !dispatch.active.has(id));
    const leaving = ids.flatMap((id) => attachments.ownOf(id).map((one) => attachments.leave(id, one, { drainMs })));
    await Promise.all(leaving);
  }

  /** It is not served here any more: others may have it at once, and members elsewhere find its next owner. */
  async #free(id: string): Promise<void> {
    const elsewhere = this.#options.elsewhere();
    const isHeld = this.isHeld(id);
    elsewhere?.remote.forget(id);
    await this.#leases?.release(id);
    if (isHeld) elsewhere?.peers.post({ kind: 'free', subscription: id });
  }

  /** Drains a subscription and makes `change`; answers with what was served before, or serves it again. */
  async #outOfService(
    id: string,
    change: () => Promise<void>,
    { caller, drainMs = UPDATE_DRAIN_MS }: { caller?: unknown; drainMs?: number | undefined } = {},
  ): Promise<ActiveSubscription | undefined> {
    const { active, serving } = this.#options.dispatch;
    const subscription = active.get(id);
    try {
      if (subscription) await serving.takeDown(subscription, drainMs, caller);
      await change();
      return subscription;
    } catch (error) {
      if (subscription) await this.#takeUpAgain(subscription);
      throw error;
    }
  }

  async #takeUpAgain(subscription: ActiveSubscription): Promise<void> {
    const { id, held } = subscription;
    if (!held || this.#leases?.holds(id, held)) this.#options.dispatch.serving.takeUpAgain(subscription);
    else if (!needsAttaching(subscription.definition)) await subscription.sink.close();
  }

  async #bringUp(definition: SubscriptionDefinition, held: HeldLease | undefined): Promise<boolean> {
    const { active, serving } = this.#options.dispatch;
    if (active.has(definition.id)) return false;
    const sink = this.#sinkOf(definition);
    if (!sink) return false;
    try {
      await serving.bringUp({ definition, sink, durable: true, floor: 0, held });
      this.#options.attachments.route(definition.id);
    } catch (error) {
      if (!needsAttaching(definition)) await sink.close();
      throw error;
    }
    // Found to be lost while its records were read: then there was nothing to drop yet.
    if (!held || this.#leases?.holds(definition.id, held)) return true;
    this.#drop(definition.id);
    return false;
  }

  #sinkOf(definition: SubscriptionDefinition): Sink | undefined {
    const { attachments, pulls, ways } = this.#options;
    const { id, sink } = definition;
    if (sink.kind === 'pull') return pulls.sinkOf(definition);
    if (!isAttachable(definition)) return makeSink(definition, ways);
    if (!needsAttaching(definition)) return makeSink(definition, ways, attachments.standing(id));
    return attachments.has(id) ? attachments.of(id)?.wayOut() : undefined;
  }

  /** The ids of durable subscriptions that could be served here, after a look at what changed elsewhere. */
  async #wanted(): Promise<readonly Wanted[]> {
    const { catalog, ways } = this.#options;
    for (const vanished of await catalog.refresh()) {
      this.#drop(vanished);
      ways.enrichers.delete(vanished);
      this.#yieldAgainAtMs.delete(vanished);
      this.#tellEnded(vanished);
      await this.#leases?.release(vanished);
    }
    const definitions = catalog.list().filter(({ id }) => catalog.isDurable(id) && !this.#changes.has(id));
    await this.#dropReplaced(definitions);
    for (const definition of definitions) this.#adopt(definition);
    const placement = this.#options.elsewhere()?.placement;
    return definitions.flatMap((definition) => {
      if (placement) return placement.wantedOf(definition) ?? [];
      const { id } = definition;
      if (!needsAttaching(definition)) return { id, best: 'anywhere' as const };
      return this.#options.attachments.has(id) ? { id, best: 'here' as const } : [];
    });
  }

  /** Another process changed a subscription that is served here. Leases are not renewed while this looks, so it does not wait. */
  #adopt(definition: SubscriptionDefinition): void {
    const active = this.#options.dispatch.active.get(definition.id);
    if (active && active.definition.updatedAtMs !== definition.updatedAtMs) this.follow(definition.id);
  }

  /** Another process removed a subscription that is served here and made one of the same name: what this one owes is over. */
  async #dropReplaced(definitions: readonly SubscriptionDefinition[]): Promise<void> {
    for (const { id, createdAtMs } of definitions) {
      const active = this.#options.dispatch.active.get(id);
      if (!active || active.definition.createdAtMs === createdAtMs) continue;
      this.#drop(id);
      await this.#leases?.release(id);
    }
  }

  /** Reads the definitions as they are under the leases, and routes what the last owners may have settled. */
  async #prepare(ids: readonly string[]): Promise<void> {
    const { adapter, catalog, dispatch } = this.#options;
    const [all] = await Promise.all([adapter.store.bounds(), catalog.reload(ids)]);
    await dispatch.route.reach(all.find(({ partition }) => partition === dispatch.partition)?.head ?? 0);
  }

  /** True when the subscription is served from now on. */
  async #acquired(id: string, held: HeldLease): Promise<boolean> {
    if (this.#changes.has(id)) return false;
    return this.#changes.run(id, async () => {
      const definition = this.#options.catalog.get(id);
      if (!definition) return false;
      // Whatever is served still is served under a lease that has passed.
      this.#drop(id);
      return this.#bringUp(definition, held);
    });
  }

  /** A handler waits for its name to come back; whoever is connected can be told, and asks again if it wants to. */
  #tellEnded(id: string): void {
    const { attachments, onFailure } = this.#options;
    const { all = [] } = attachments.of(id) ?? {};
    if (all.length > 0 && !all.some(({ onLeft }) => onLeft)) return;
    attachments.remove(id, 'ended')?.close().catch(onFailure);
  }

  #wake(id: string): void {
    const { active, dispatcher } = this.#options.dispatch;
    const subscription = active.get(id);
    if (subscription) dispatcher.wake(subscription);
  }

  #drop(id: string): void {
    const active = this.#options.dispatch.active.get(id);
    if (!active) return;
    this.#options.dispatch.serving.drop(active);
    this.#options.elsewhere()?.remote.forget(id);
    if (!needsAttaching(active.definition)) active.sink.close().catch(this.#options.onFailure);
  }
}

/**
 * Another process changed nothing but the state, and it is active: somebody resumed it there. A key that was released there
 * looks the same, and whoever does that expects a try as well.
 */
function isResumed(before: SubscriptionDefinition, after: SubscriptionDefinition): boolean {
  const definitionOf = ({ state: _state, stoppedReason: _reason, updatedAtMs: _at, ...rest }: SubscriptionDefinition) =>
    JSON.stringify(rest);
  return after.state === 'active' && definitionOf(before) === definitionOf(after);
}
