/**
 * The operations on subscriptions: create, attach, change, pause, remove. Which of them are served here is `duty.ts`.
 *
 * Durable are those with a name or an endpoint: they outlive the process, and what they are owed while nobody serves them
 * waits in the log.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { RealtimeState, Sink } from '../contracts/sink.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { createEventIdSource } from '../event/event-id.ts';
import type { StallWatch } from '../health/stall-watch.ts';
import { unservedLag } from '../health/unserved-lag.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import { textOf } from '../peers/letter-fields.ts';
import { ANONYMOUS, type Principal } from '../principal.ts';
import { encodeCursor } from '../query/cursor.ts';
import { readRemovals } from '../retention/remove-debts.ts';
import type { RetryPolicy } from '../retry/retry-policy.ts';
import type { Runs } from '../runs/runs.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Enrich } from '../sink/enriching-sink.ts';
import { type Attached, isAttachable } from './attached.ts';
import { Attachments } from './attachments.ts';
import { BlockedKeys } from './blocked-keys.ts';
import { Catalog, changedAtMs, sameRequest } from './catalog.ts';
import { assertMayBecome, changedRequest, throughOf } from './changed-request.ts';
import { Departures, type DetachOptions } from './departures.ts';
import { Duty, type LeaveOptions } from './duty.ts';
import { notServedHere } from './elsewhere/ask-owner.ts';
import { Elsewhere } from './elsewhere/elsewhere.ts';
import { type Instances, instancesOf } from './elsewhere/instances.ts';
import { PullsElsewhere } from './elsewhere/pulls-elsewhere.ts';
import type { WaysOut } from './make-sink.ts';
import { parseSubscription } from './parse-subscription.ts';
import { Pulls } from './pulls.ts';
import { readSubscribe, withRetry } from './read-subscribe.ts';
import { subscriptionIdOf, withFallbackOf } from './request-with-fallback.ts';
import { Resets, type ResetsOptions } from './resets.ts';
import { StateChanges } from './state-changes.ts';
import type { StoppedReason, SubscriptionDefinition, SubscriptionRequest } from './subscription.ts';
import { type Entered, isDurable, SubscriptionRecords } from './subscription-records.ts';
import { type SubscriptionStatus, settledPosition, statusOf, unservedStatus } from './subscription-status.ts';

/** Whoever asks for the status of a subscription should not wait for a process that is dying. */
const STATUS_WITHIN_MS = 1_000;
/** What members of a process that stops have done is done once more elsewhere if nobody hears of it; their owner may be gone, too. */
const CONFIRMED_WITHIN_MS = 1_000;

export interface SubscriptionsOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly stallWatch: StallWatch;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly webhookSink: ((definition: SubscriptionDefinition) => Sink) | undefined;
  readonly webSocketSink: ((definition: SubscriptionDefinition) => Sink) | undefined;
  readonly onSwitched: WaysOut['onSwitched'];
  readonly onReset: ResetsOptions['onReset'];
  readonly removing: Runs['removing'];
  /** Of subscriptions that say nothing about retries. */
  readonly retryPolicy: RetryPolicy;
  readonly owner: string;
  /** A failure that no caller is there to hear of. */
  readonly onFailure: (error: unknown) => void;
}

/** A subscription together with what of this process serves it. */
export interface Joined {
  readonly definition: SubscriptionDefinition;
  /** Absent for one that needs nobody attached. */
  readonly attached: Attached | undefined;
}

export class Subscriptions {
  /** For subscriptions whose deliveries are asked for. */
  readonly pulls: Pulls;
  /** Keys of ordered subscriptions whose later events wait. */
  readonly keys: BlockedKeys;
  /** To go on from another place of the log. */
  readonly resets: Resets;
  readonly #options: SubscriptionsOptions;
  readonly #catalog: Catalog;
  readonly #nextId: () => string;
  readonly #records: SubscriptionRecords;
  /** What is sent in place of the events of a subscription. */
  readonly #enrichers = new Map<string, Enrich>();
  readonly #attachments: Attachments;
  readonly #duty: Duty;
  readonly #departures: Departures;
  readonly #states: StateChanges;
  readonly #elsewhere: Elsewhere | undefined;
  readonly #pullsElsewhere: PullsElsewhere | undefined;

  constructor(options: SubscriptionsOptions) {
    const { adapter, dispatch, runtime, limits, owner, onFailure } = options;
    this.#options = options;
    this.#catalog = new Catalog(adapter.state);
    this.#nextId = createEventIdSource(runtime);
    const catalog = this.#catalog;
    this.#records = new SubscriptionRecords({ adapter, dispatch, limits, catalog, runtime });
    const elsewhere = () => this.#elsewhere;
    const attachments = new Attachments({
      ...{ dispatch, runtime, onFailure },
      hosted: () => this.#elsewhere?.hosted,
      onChanged: (id) => this.#elsewhere?.announcements.changed(id),
    });
    this.#attachments = attachments;
    const pulls = new Pulls({
      ...{ catalog, dispatch, runtime },
      changed: (id) => this.#duty.changed(id),
      elsewhere: () => this.#pullsElsewhere,
    });
    this.pulls = pulls;
    this.#duty = new Duty({
      ...{ adapter, dispatch, runtime, catalog, attachments, pulls, elsewhere },
      ways: { ...options, enrichers: this.#enrichers },
      owner,
      onFailure,
    });
    const { state } = adapter;
    this.keys = new BlockedKeys({ state, dispatch, catalog, duty: this.#duty, clock: runtime.clock });
    const removeEphemeral = (id: string, leaving: LeaveOptions) => this.#removeEphemeral(id, leaving);
    this.#departures = new Departures({ catalog, attachments, duty: this.#duty, removeEphemeral });
    this.#states = new StateChanges({ catalog, duty: this.#duty, dispatch, runtime, onFailure });
    const { onReset } = options;
    this.resets = new Resets({ adapter, dispatch, catalog, duty: this.#duty, runtime, owner, elsewhere, onReset });
    const { exchange } = adapter;
    if (!adapter.supports.shared || !exchange) return;
    this.#elsewhere = new Elsewhere({
      ...{ adapter, exchange, owner, dispatch, runtime, catalog, attachments, onFailure },
      enriched: this.#enrichers,
      duty: this.#duty,
    });
    const { owner: asked, requests, reader } = this.#elsewhere;
    this.#pullsElsewhere = new PullsElsewhere({
      ...{ owner: asked, requests, reader, runtime },
      sinkOf: (id) => pulls.servedHere(id),
      pullHere: (id, sink, request) => pulls.pullHere(id, sink, request),
    });
    this.answerOwners('reset', (_id, request) => this.resets.answer(request));
    this.answerOwners('status', async (id) => this.status(ANONYMOUS, id));
  }

  /** Members of this process are served by another one, which says only where their events stand. */
  get readsAlong(): boolean {
    return this.#elsewhere?.announcements.isSome === true;
  }

  /** The processes that share the store, as far as this one knows; `undefined` where there is but one. */
  get instances(): Instances | undefined {
    return this.#elsewhere && instancesOf(this.#elsewhere, this.#duty.leases);
  }

  get count(): number {
    return this.#catalog.size;
  }

  /** Handlers and sockets of this process that are attached, and askers that wait. */
  get members(): number {
    return this.#attachments.count + this.pulls.askers;
  }

  /** Restores the durable subscriptions and serves those that need nobody attached. */
  async start(): Promise<void> {
    await this.#catalog.refresh();
    this.#elsewhere?.peers.start();
    await this.#duty.start();
    this.#records.forgetLeftovers().catch((error: unknown) => {
      // A store that is full or away is asked at the next start.
      if (!isEventManagerError(error)) this.#options.onFailure(error);
    });
  }

  /** Somebody else may have changed something. */
  poke(): void {
    this.#duty.poke();
  }

  /**
   * Creates a subscription, or attaches to the one of the same name and definition: as one more member, or in the place of
   * the member that `socket` says it is. Every event acknowledged after it resolved is owed. With `socket` it is served through
   * that instead of a handler or endpoint of the input. Throws what `parseSubscription` throws, `subscription_conflict`,
   * `too_many_subscriptions`, `not_supported`.
   */
  async subscribe(principal: Principal, input: unknown, socket?: Attached): Promise<SubscriptionDefinition> {
    return (await this.join(principal, input, socket)).definition;
  }

  /** The same, for a caller that may leave again. */
  async join(principal: Principal, input: unknown, socket?: Attached): Promise<Joined> {
    const { request, attached } = readSubscribe(input, this.#options, socket);
    const id = subscriptionIdOf(request) ?? this.#nextId();
    const definition = await this.#duty.exclusive(id, () => this.#subscribe(principal, id, request, attached));
    return { definition, attached };
  }

  get(_principal: Principal, id: string): SubscriptionDefinition {
    return this.#catalog.known(id);
  }

  /** It exists. */
  knows(id: string): boolean {
    return this.#catalog.get(id) !== undefined;
  }

  list(_principal: Principal): SubscriptionDefinition[] {
    return this.#catalog.list();
  }

  status(_principal: Principal, id: string): SubscriptionStatus {
    const active = this.#options.dispatch.active.get(id);
    const members = this.#membersOf(id);
    const status = active
      ? statusOf(active, this.#options.stallWatch.progressOf(active), this.#options.runtime.clock)
      : unservedStatus();
    const servedBy = active?.held && this.#options.adapter.exchange ? { servedBy: this.#options.owner } : {};
    return { ...status, ...servedBy, ...(members === undefined ? {} : { members }) };
  }

  /** The same with the lag also where nobody serves it here, which takes a look at what is kept of it. */
  async progress(principal: Principal, id: string): Promise<SubscriptionStatus> {
    const known = this.status(principal, id);
    if (!this.#catalog.isDurable(id)) return known;
    const { adapter, dispatch } = this.#options;
    const keys = queueKeys(id, dispatch.partition);
    const debtRemoved = await readRemovals(adapter.state, keys.progress);
    const status = debtRemoved ? { ...known, debtRemoved } : known;
    if (status.served) return status;
    const theirs = (await this.askOwner(id, 'status', {})) as unknown as SubscriptionStatus | undefined;
    if (theirs) return { ...theirs, ...(debtRemoved ? { debtRemoved } : {}) };
    return { ...status, lag: await unservedLag(adapter.state, keys, dispatch.route.head) };
  }

  /**
   * What the process that serves a subscription answers; `undefined` when there is none, it is this one, or it does not
   * answer.
   */
  async askOwner(id: string, what: string, request: JsonObject): Promise<JsonObject | undefined> {
    try {
      return await this.askOwnerOrFail(id, what, request);
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      return undefined;
    }
  }

  /** The same; throws `unreachable` when there is one and it does not answer. */
  async askOwnerOrFail(id: string, what: string, request: JsonObject): Promise<JsonObject | undefined> {
    return (await this.#elsewhere?.owner.ask(id, what, request, { limitMs: STATUS_WITHIN_MS }))?.answer;
  }

  /** What the other processes answer, those that do. */
  async askOthers(what: string, request: JsonObject): Promise<readonly JsonObject[]> {
    const { peers, requests } = this.#elsewhere ?? {};
    const asked = (peers?.others ?? []).map(({ name }) =>
      requests!.ask(name, what, request, { limitMs: STATUS_WITHIN_MS }),
    );
    const replies = await Promise.allSettled(asked);
    return replies.flatMap((reply) => (reply.status === 'fulfilled' ? [reply.value.answer] : []));
  }

  answerOthers(what: string, answer: (request: JsonObject) => Promise<object>): void {
    this.#elsewhere?.requests.serve(what, async (request) => {
      // Letters hold JSON, which has no fields without a value.
      const answered = JSON.parse(JSON.stringify(await answer(request))) as JsonObject;
      return { answer: () => answered };
    });
  }

  /** Answers what other processes ask of the subscriptions that are served here. */
  answerOwners(what: string, answer: (id: string, request: JsonObject) => Promise<object>): void {
    this.answerOthers(what, (request) => {
      const id = textOf(request, 'subscription');
      if (!this.#options.dispatch.active.has(id)) throw notServedHere(id);
      return answer(id, request);
    });
  }

  /** All that outlive the process, served here or not. */
  durable(): SubscriptionDefinition[] {
    return this.#catalog.list().filter(({ id }) => this.#catalog.isDurable(id));
  }

  /** Takes a subscription out of service, makes a change to what is durable of it, and serves it again. */
  whileUnserved(id: string, change: () => Promise<void>): Promise<void> {
    return this.#duty.exclusive(id, async () => {
      const definition = this.#catalog.get(id);
      if (definition) await this.#duty.replace(definition, change);
    });
  }

  async pause(_principal: Principal, id: string): Promise<SubscriptionDefinition> {
    return this.#states.set(id, 'paused');
  }

  /** Also takes up a subscription that was stopped. */
  async resume(_principal: Principal, id: string): Promise<SubscriptionDefinition> {
    return this.#states.set(id, 'active');
  }

  /**
   * Changes topic, filter, endpoint or options. Attempts under way end first; then the queue is read again from the floor
   * against the new definition, and what no longer matches is withdrawn. Called inside the subscription's own handler it
   * answers before that: the calling attempt is one of those that end first.
   */
  async update(principal: Principal, id: string, input: JsonObject): Promise<SubscriptionDefinition> {
    return this.#duty.exclusive(id, () => this.#catalog.upToDate(id, () => this.#update(principal, id, input)));
  }

  /** Ends a subscription and forgets what it is owed; dead letters stay. Throws `subscription_not_found`. */
  async unsubscribe(principal: Principal, id: string): Promise<void> {
    this.get(principal, id);
    await this.#duty.exclusive(id, () => this.#remove(id));
  }

  /** The handlers or sockets of this process leave, or with `sink` that one alone: see `Departures`. Throws `subscription_not_found`. */
  async detach(principal: Principal, id: string, options: DetachOptions = {}): Promise<void> {
    this.get(principal, id);
    await this.#departures.detach(id, options);
  }

  /** Sends what `enrich` makes of the events of a subscription with a WebSocket endpoint, as long as this process serves it. */
  enrich(id: string, enrich: Enrich | undefined): void {
    if (enrich) this.#enrichers.set(id, enrich);
    else this.#enrichers.delete(id);
  }

  /** How its receiver is reached; `undefined` for one that has no connection, and where it is not served. */
  realtime(id: string): RealtimeState | undefined {
    return this.#options.dispatch.active.get(id)?.sink.realtime;
  }

  /** Everything at or before this cursor is settled; `undefined` when the subscription is not served here. */
  settledCursor(id: string): string | undefined {
    const { active, partition, route } = this.#options.dispatch;
    const subscription = active.get(id);
    return subscription && encodeCursor([{ partition, position: settledPosition(subscription, route.head) }]);
  }

  leaseLost(subscription: ActiveSubscription): void {
    this.#duty.leaseLost(subscription);
  }

  replaced(subscription: ActiveSubscription): void {
    this.#duty.replaced(subscription);
  }

  /** Nothing is delivered until somebody resumes. */
  stopped(subscription: ActiveSubscription, reason: StoppedReason): void {
    this.#states.stop(subscription, reason);
  }

  /** The engine failed: nothing is renewed any more, so others have what it served when its leases have run out. */
  halt(): void {
    this.#duty.halt();
    this.#elsewhere?.peers.stop();
  }

  async close(drainMs: number): Promise<void> {
    try {
      await this.#duty.close(drainMs);
      await this.#elsewhere?.hosted.confirmed(CONFIRMED_WITHIN_MS);
    } finally {
      this.#elsewhere?.peers.stop();
    }
  }

  async #subscribe(
    _principal: Principal,
    id: string,
    request: SubscriptionRequest,
    attached: Attached | undefined,
  ): Promise<SubscriptionDefinition> {
    const known = this.#catalog.get(id);
    if (known) return this.#attach(known, request, attached);
    const nowMs = this.#options.runtime.clock.wallMs();
    const asked: SubscriptionDefinition = {
      id,
      ...withRetry(request, this.#options.retryPolicy),
      state: 'active',
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    const entered = await this.#enter(asked);
    // Another process was faster: then this one attaches to what that one made.
    if (!entered) return this.#subscribe(_principal, id, request, attached);
    const { definition, floor } = entered;
    if (!isDurable(request)) await this.#duty.serveHere(definition, attached!, floor);
    else if (attached) await this.#duty.attach(definition, attached);
    else await this.#duty.serve(definition);
    return definition;
  }

  /** `undefined` when it is there already, and known from now on. */
  async #enter(definition: SubscriptionDefinition): Promise<Entered | undefined> {
    try {
      return await this.#records.enter(definition);
    } catch (error) {
      if (!isEventManagerError(error, 'subscription_conflict')) throw error;
      await this.#catalog.reload([definition.id]);
      if (!this.#catalog.get(definition.id)) throw error;
      return undefined;
    }
  }

  /** Same name and same definition: the handler or socket of this process serves it from now on. */
  async #attach(
    known: SubscriptionDefinition,
    request: SubscriptionRequest,
    attached: Attached | undefined,
  ): Promise<SubscriptionDefinition> {
    const wanted = withFallbackOf(known, withRetry(request, known.options.retry));
    if (!sameRequest(known, wanted)) throw conflict(request);
    if (!attached) return known;
    await this.#duty.attach(known, attached);
    return known;
  }

  #membersOf(id: string): number | undefined {
    const definition = this.#catalog.get(id);
    if (definition?.sink.kind === 'pull') return this.pulls.askersOf(id);
    return definition && isAttachable(definition) ? (this.#attachments.of(id)?.size ?? 0) : undefined;
  }

  async #update(principal: Principal, id: string, input: JsonObject): Promise<SubscriptionDefinition> {
    const before = this.get(principal, id);
    const changed = changedRequest(before, input);
    const request = parseSubscription(changed, this.#options.limits, throughOf(before, changed));
    assertMayBecome(before, request);
    const updatedAtMs = changedAtMs(before, this.#options.runtime.clock);
    // What has no context of its own any more: a change that says nothing of it has it in the request.
    const { context: _replaced, ...others } = before;
    const definition = { ...others, ...request, updatedAtMs, definedAtMs: updatedAtMs };
    this.#records.assertRoom(definition);
    await this.#duty.replace(definition, () => this.#catalog.update(definition));
    return definition;
  }

  async #remove(id: string): Promise<void> {
    // What is under way through a socket, or leased, may wait for the very client that waits for this, and its debts end here.
    const kind = this.#catalog.get(id)?.sink.kind;
    const drainMs = kind === 'socket' || kind === 'pull' ? 0 : undefined;
    if (!this.#catalog.isDurable(id)) {
      await this.#removeEphemeral(id, { drainMs, reason: 'ended' });
      return;
    }
    const parts = this.#options.removing(id);
    const remove = async () => this.#records.remove(id, await parts.changes());
    await this.#duty.leave(id, remove, { drainMs, reason: 'ended' });
    parts.removed();
    this.#enrichers.delete(id);
    await this.#records.forgetDebts(id);
  }

  async #removeEphemeral(id: string, options: LeaveOptions): Promise<void> {
    const parts = this.#options.removing(id);
    await this.#duty.leave(id, async () => this.#catalog.removeEphemeral(id), options);
    try {
      const endings = await parts.changes();
      if (endings.length > 0) await this.#options.adapter.state.commit(endings);
      parts.removed();
    } catch (error) {
      // It has left all the same: whoever leaves need not wait for a store.
      if (!isEventManagerError(error)) throw error;
    }
  }
}

function conflict({ name }: SubscriptionRequest): EventManagerError {
  const [words, pointer] =
    name === undefined
      ? ['A subscription with this fallback exists with other options: give this one a name, or change that one.', '']
      : ['The name belongs to a subscription with another definition.', '/name'];
  return new EventManagerError('subscription_conflict', words!, { pointer });
}
