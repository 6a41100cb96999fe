/**
 * The operations on subscriptions: create, attach, change, pause, remove. Which of them are served here is `duty.ts`.
 *
 * Durable are those with a name or an endpoint: they outlive the process, and what they are owed while nobody serves them
 * waits in the log.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Position } from '../contracts/event-store.ts';
import type { AttemptError, Sink } from '../contracts/sink.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { type DeliveryCounts, noCounts } from '../dispatch/delivery-counts.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { createEventIdSource } from '../event/event-id.ts';
import type { ProgressState } from '../health/progress.ts';
import type { StallWatch } from '../health/stall-watch.ts';
import { unservedLag } from '../health/unserved-lag.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { decodeCursor, encodeCursor } from '../query/cursor.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../retry/retry-policy.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type BatchHandler, batchHandlerSink, type EventHandler, handlerSink } from '../sink/handler-sink.ts';
import { Catalog, namedSubscriptionId, sameRequest } from './catalog.ts';
import { changedRequest } from './changed-request.ts';
import { type Attached, Duty } from './duty.ts';
import { parseSubscription } from './parse-subscription.ts';
import type { StartFrom, SubscriptionDefinition, SubscriptionRequest } from './subscription.ts';

const FIND_BUDGET_MS = 5_000;

export interface SubscriptionsOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly stallWatch: StallWatch;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly webhookSink: ((definition: SubscriptionDefinition) => Sink) | undefined;
  /** Of subscriptions that say nothing about retries. */
  readonly retryPolicy: RetryPolicy;
  readonly owner: string;
  /** A failure that no caller is there to hear of. */
  readonly onFailure: (error: unknown) => void;
}

export interface DetachOptions {
  /** Only if this one is attached. */
  readonly sink?: Sink | undefined;
  /** Time for attempts under way, milliseconds; default 5 s. */
  readonly drainMs?: number | undefined;
}

/** How far a subscription is, as far as this process knows. */
export interface SubscriptionStatus {
  /** False when nobody serves it here: no handler is attached, or another process has the lease. */
  readonly served: boolean;
  /** Deliveries that wait for a first attempt and are in memory; more may be in the log. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Deliveries that wait for a retry. */
  readonly owed: number;
  readonly state: ProgressState;
  /** Deliveries it may still have to make: what it owes, and what it has not looked at yet. Where it is not served here only `progress` knows. */
  readonly lag?: number;
  /** When an attempt ended or an event was passed over, RFC 3339; absent when neither happened since it is served here. */
  readonly lastProgressAt?: string;
  readonly counts: Readonly<DeliveryCounts>;
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #catalog: Catalog;
  readonly #nextId: () => string;
  readonly #duty: Duty;
  /** On their way into the catalog. */
  #creating = 0;

  constructor(options: SubscriptionsOptions) {
    const { adapter, dispatch, runtime, webhookSink, owner, onFailure } = options;
    this.#options = options;
    this.#catalog = new Catalog(adapter.state);
    this.#nextId = createEventIdSource(runtime);
    const catalog = this.#catalog;
    this.#duty = new Duty({ adapter, dispatch, runtime, catalog, webhookSink, owner, onFailure });
  }

  get count(): number {
    return this.#catalog.size;
  }

  /** Restores the durable subscriptions and serves those that need nobody attached. */
  async start(): Promise<void> {
    await this.#catalog.refresh();
    await this.#duty.start();
  }

  /** Somebody else may have changed something. */
  poke(): void {
    this.#duty.poke();
  }

  /**
   * Creates a subscription, or attaches to the one of the same name and definition. Every event acknowledged after it
   * resolved is owed. With `socket` it is served through that instead of a handler or endpoint of the input: of two sockets
   * that attach to one name the later one has it, because the earlier one may be lost without anybody having noticed.
   * Throws what `parseSubscription` throws, `subscription_conflict`, `too_many_subscriptions`, `not_supported`.
   */
  async subscribe(principal: Principal, input: unknown, socket?: Attached): Promise<SubscriptionDefinition> {
    const { request, attached } = this.#read(input, socket);
    const id = request.name === undefined ? this.#nextId() : namedSubscriptionId(request.name);
    return this.#duty.exclusive(id, () => this.#subscribe(principal, id, request, attached));
  }

  get(_principal: Principal, id: string): SubscriptionDefinition {
    const definition = this.#catalog.get(id);
    if (!definition) throw notFound(id);
    return definition;
  }

  list(_principal: Principal): SubscriptionDefinition[] {
    return this.#catalog.list();
  }

  status(_principal: Principal, id: string): SubscriptionStatus {
    const active = this.#options.dispatch.active.get(id);
    if (!active) return { served: false, waiting: 0, inFlight: 0, owed: 0, state: 'unserved', counts: noCounts() };
    const { id: _id, name: _name, ...progress } = this.#options.stallWatch.progressOf(active);
    const { queue, counts } = active;
    return {
      served: true,
      waiting: queue.waitingCount,
      inFlight: queue.claimedCount,
      owed: queue.owed.size,
      ...progress,
      counts: { ...counts },
    };
  }

  /** The same with the lag also where nobody serves it here, which takes a look at what is kept of it. */
  async progress(principal: Principal, id: string): Promise<SubscriptionStatus> {
    const status = this.status(principal, id);
    if (status.served || !this.#catalog.isDurable(id)) return status;
    const { adapter, dispatch } = this.#options;
    const keys = queueKeys(id, dispatch.partition);
    return { ...status, lag: await unservedLag(adapter.state, keys, dispatch.route.head) };
  }

  pause(principal: Principal, id: string): Promise<SubscriptionDefinition> {
    return this.#setState(principal, id, 'paused');
  }

  /** Also takes up a subscription that was stopped. */
  resume(principal: Principal, id: string): Promise<SubscriptionDefinition> {
    return this.#setState(principal, id, 'active');
  }

  /**
   * Changes topic, filter, endpoint or options. Attempts under way end first; then the queue is read again from the floor
   * against the new definition, and what no longer matches is withdrawn. Called inside the subscription's own handler it
   * answers before that: the calling attempt is one of those that end first.
   */
  async update(principal: Principal, id: string, input: JsonObject): Promise<SubscriptionDefinition> {
    return this.#duty.exclusive(id, async () => {
      const before = this.get(principal, id);
      const request = parseSubscription(changedRequest(before, input), this.#options.limits, socketOf(before));
      if (request.name !== before.name || request.sink.kind !== before.sink.kind) {
        throw new EventManagerError('invalid_subscription', 'Name and kind of a subscription cannot be changed.', {
          pointer: request.name !== before.name ? '/name' : '/endpoint',
        });
      }
      const updatedAtMs = this.#options.runtime.clock.wallMs();
      const definition = { ...before, ...request, updatedAtMs };
      await this.#duty.replace(definition, () => this.#catalog.update(definition));
      return definition;
    });
  }

  /** Ends a subscription and forgets what it is owed; dead letters stay. Throws `subscription_not_found`. */
  async unsubscribe(principal: Principal, id: string): Promise<void> {
    this.get(principal, id);
    await this.#duty.exclusive(id, () => this.#remove(id));
  }

  /**
   * The handler or socket of this process leaves: a named subscription goes on existing, an unnamed one ends. What has an
   * endpoint has nobody to leave. With `sink` nothing happens when another one is attached by now. Attempts that have not
   * ended within `drainMs` are released, which costs no failure. Throws `subscription_not_found`.
   */
  async detach(principal: Principal, id: string, options: DetachOptions = {}): Promise<void> {
    this.get(principal, id);
    const { sink, drainMs } = options;
    await this.#duty.exclusive(id, async () => {
      if (sink !== undefined && this.#duty.attachedTo(id)?.sink !== sink) return;
      if (this.#catalog.get(id)?.sink.kind === 'webhook') return;
      if (this.#catalog.isDurable(id)) await this.#duty.leave(id, async () => {}, { drainMs });
      else await this.#duty.leave(id, async () => this.#catalog.removeEphemeral(id), { drainMs });
    });
  }

  /** Everything at or before this cursor is settled; `undefined` when the subscription is not served here. */
  settledCursor(id: string): string | undefined {
    const { active, partition, route } = this.#options.dispatch;
    const { queue } = active.get(id) ?? {};
    if (!queue) return undefined;
    let position = route.head;
    for (const lane of queue.lanes) position = Math.min(position, lane.floor(route.head));
    for (const owed of queue.owed.keys()) position = Math.min(position, owed - 1);
    return encodeCursor([{ partition, position }]);
  }

  leaseLost(subscription: ActiveSubscription): void {
    this.#duty.leaseLost(subscription);
  }

  /** The receiver said that it is gone for good: nothing is delivered until somebody resumes. */
  gone(subscription: ActiveSubscription, _reason: AttemptError): void {
    const { id, definition } = subscription;
    subscription.definition = { ...definition, state: 'stopped' };
    this.#duty
      .exclusive(id, () => this.#stop(definition))
      .catch((error: unknown) => {
        // A failed write only means that the receiver is asked once more after a restart, and says it again.
        if (!isEventManagerError(error)) this.#options.onFailure(error);
      });
  }

  async close(drainMs: number): Promise<void> {
    await this.#duty.close(drainMs);
  }

  #read(input: unknown, socket?: Attached): { request: SubscriptionRequest; attached: Attached | undefined } {
    const { limits, webhookSink } = this.#options;
    if (socket) return { request: parseSubscription(input, limits, 'socket'), attached: socket };
    const { batchHandler, ...rest } = isObject(input) ? input : {};
    if (batchHandler !== undefined && rest['handler'] !== undefined) {
      const words = 'A subscription has a handler or a batchHandler, not both.';
      throw new EventManagerError('invalid_subscription', words, { pointer: '/batchHandler' });
    }
    const given = batchHandler === undefined ? input : { ...rest, handler: batchHandler };
    const request = parseSubscription(given, limits);
    if (request.sink.kind === 'pull') {
      const words = 'A subscription needs a handler or an endpoint; pulling is not supported yet.';
      throw new EventManagerError('not_supported', words, { pointer: '/endpoint' });
    }
    if (request.sink.kind === 'webhook') {
      if (!webhookSink)
        throw new EventManagerError('not_supported', 'Webhooks are not set up.', { pointer: '/endpoint' });
      return { request, attached: undefined };
    }
    const sink =
      batchHandler === undefined
        ? handlerSink((given as { handler: EventHandler }).handler)
        : batchHandlerSink(batchHandler as BatchHandler);
    return { request, attached: { sink } };
  }

  async #subscribe(
    _principal: Principal,
    id: string,
    request: SubscriptionRequest,
    attached: Attached | undefined,
  ): Promise<SubscriptionDefinition> {
    const known = this.#catalog.get(id);
    if (known) return this.#attach(known, withRetry(request, known.options.retry), attached);
    const nowMs = this.#options.runtime.clock.wallMs();
    const definition: SubscriptionDefinition = {
      id,
      ...withRetry(request, this.#options.retryPolicy),
      state: 'active',
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    const floor = await this.#enter(definition);
    if (!isDurable(request)) await this.#duty.serveHere(definition, attached!, floor);
    else if (attached) await this.#duty.attach(definition, attached);
    else await this.#duty.serve(definition);
    return definition;
  }

  /** Puts a new subscription into the catalog; resolves with where it begins. Throws `too_many_subscriptions`. */
  async #enter(definition: SubscriptionDefinition): Promise<Position> {
    const { id, options } = definition;
    const limit = this.#options.limits.subscriptionsMax;
    if (this.#catalog.size + this.#creating >= limit) {
      throw new EventManagerError('too_many_subscriptions', `There are ${limit} subscriptions already.`, { limit });
    }
    this.#creating++;
    try {
      const floor = await this.#startPosition(options.startFrom);
      if (!isDurable(definition)) {
        this.#catalog.addEphemeral(definition);
        return floor;
      }
      const lane = [floor, floor, []];
      const key = queueKeys(id, this.#options.dispatch.partition).progress;
      const value = { lanes: [lane, lane, lane, lane] } as unknown as JsonObject;
      const progress: StateChange = { kind: 'progress', key, value };
      // A process that died while it removed a subscription of this name may have left debts behind.
      await this.#catalog.create(definition, [progress, ...(await this.#owedRemovals(id))]);
      return floor;
    } finally {
      this.#creating--;
    }
  }

  /** Same name and same definition: the handler or socket of this process serves it from now on. */
  async #attach(
    known: SubscriptionDefinition,
    request: SubscriptionRequest,
    attached: Attached | undefined,
  ): Promise<SubscriptionDefinition> {
    if (!sameRequest(known, request)) {
      throw new EventManagerError(
        'subscription_conflict',
        'The name belongs to a subscription with another definition.',
        {
          pointer: '/name',
        },
      );
    }
    if (!attached) return known;
    if (this.#duty.attachedTo(known.id)) {
      if (known.sink.kind !== 'socket') {
        const words = 'A handler of this process is attached already; several members are not supported yet.';
        throw new EventManagerError('not_supported', words, { pointer: '/name' });
      }
      await this.#duty.leave(known.id, async () => {}, { drainMs: 0, reason: 'taken_over' });
    }
    await this.#duty.attach(known, attached);
    return known;
  }

  async #setState(principal: Principal, id: string, state: 'active' | 'paused'): Promise<SubscriptionDefinition> {
    return this.#duty.exclusive(id, async () => {
      const before = this.get(principal, id);
      const definition = { ...before, state, updatedAtMs: this.#options.runtime.clock.wallMs() };
      await this.#catalog.update(definition);
      const active = this.#options.dispatch.active.get(id);
      if (active) {
        active.definition = definition;
        if (state === 'paused') this.#options.dispatch.serving.releasePublishers(active);
        this.#options.dispatch.dispatcher.wake(active);
      }
      return definition;
    });
  }

  /** A receiver that took the place of the one that is gone has nothing to do with it. */
  async #stop({ id, sink }: SubscriptionDefinition): Promise<void> {
    const known = this.#catalog.get(id);
    if (!known || JSON.stringify(known.sink) !== JSON.stringify(sink)) return;
    const stopped = { ...known, state: 'stopped' as const };
    await this.#catalog.update(stopped);
    const active = this.#options.dispatch.active.get(id);
    if (active) active.definition = stopped;
  }

  async #remove(id: string): Promise<void> {
    // What is under way through a socket may wait for the very client that waits for this, and its debts end here.
    const drainMs = this.#catalog.get(id)?.sink.kind === 'socket' ? 0 : undefined;
    if (!this.#catalog.isDurable(id)) {
      await this.#duty.leave(id, async () => this.#catalog.removeEphemeral(id), { drainMs, reason: 'ended' });
      return;
    }
    const { progress } = queueKeys(id, this.#options.dispatch.partition);
    await this.#duty.leave(id, () => this.#catalog.remove(id, [{ kind: 'progress', key: progress }]), {
      drainMs,
      reason: 'ended',
    });
    const removals = await this.#owedRemovals(id);
    if (removals.length > 0) await this.#options.adapter.state.commit(removals);
  }

  async #owedRemovals(id: string): Promise<readonly StateChange[]> {
    const { state } = this.#options.adapter;
    const { owedPrefix } = queueKeys(id, this.#options.dispatch.partition);
    const removals: StateChange[] = [];
    let after: string | undefined;
    do {
      const page = await state.load('owed', {
        prefix: owedPrefix,
        ...(after === undefined ? {} : { after }),
        limit: 1_000,
      });
      for (const { key } of page.entries) removals.push({ kind: 'owed', key });
      after = page.next;
    } while (after !== undefined);
    return removals;
  }

  async #startPosition(from: StartFrom): Promise<Position> {
    const { adapter, dispatch } = this.#options;
    const { partition, route } = dispatch;
    const bounds = (await adapter.store.bounds()).find((entry) => entry.partition === partition);
    if (!bounds) return route.head;
    if (from === 'latest') return bounds.head;
    if (from === 'earliest') return bounds.first - 1;
    if ('cursor' in from) {
      const position = decodeCursor(from.cursor, '/options/startFrom/cursor').find((p) => p.partition === partition);
      return Math.min(position?.position ?? 0, bounds.head);
    }
    const query = { fromMs: from.timeMs };
    const found = await adapter.store.find(query, { limit: 1, direction: 'forward', budgetMs: FIND_BUDGET_MS });
    return (found.records[0]?.place.position ?? bounds.head + 1) - 1;
  }
}

/** What a change of a definition cannot say, because no input can. */
function socketOf({ sink }: SubscriptionDefinition): 'socket' | undefined {
  return sink.kind === 'socket' ? 'socket' : undefined;
}

function isDurable(request: SubscriptionRequest): boolean {
  return request.name !== undefined || request.sink.kind === 'webhook';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notFound(id: string): EventManagerError {
  return new EventManagerError('subscription_not_found', 'No subscription with this id exists.', { id });
}

/**
 * Who says nothing about retries gets the default of the engine, and later what was agreed on then: a default that changes
 * is no other definition. The parser's own default, and not one that is equal, tells that nothing was said.
 */
function withRetry(request: SubscriptionRequest, retry: RetryPolicy): SubscriptionRequest {
  if (request.options.retry !== DEFAULT_RETRY_POLICY) return request;
  return { ...request, options: { ...request.options, retry } };
}
