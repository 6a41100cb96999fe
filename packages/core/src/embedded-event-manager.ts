import { assertAdapter } from './assert-adapter.ts';
import { assertId } from './assert-id.ts';
import type { EventGraph, EventGraphRequest } from './causation/event-graph.ts';
import type { RelevanceContextIn, SubscriberContext } from './context/context.ts';
import type { Recorded } from './contracts/event-store.ts';
import type { DeadLetter } from './dispatch/dead-letter.ts';
import type { DeadLettersRequest } from './dispatch/dead-letters.ts';
import { Engine, type EngineHealth } from './engine.ts';
import { EventManagerError } from './errors/event-manager-error.ts';
import { decodeEvent } from './event/decode-event.ts';
import type { EventIn } from './event/event.ts';
import { parseEventId } from './event/event-id.ts';
import type {
  BatchPublishResult,
  EventManager,
  EventManagerOptions,
  EventsRequest,
  SubscribeRequest,
  Subscription,
} from './event-manager.ts';
import { countResults } from './ingest/count-results.ts';
import type { PublishResult } from './ingest/publish-result.ts';
import type { JsonObject } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { memory } from './memory/memory.ts';
import type { EventMetrics } from './metrics/event-metrics.ts';
import { OPTION_NAMES } from './option-names.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { FoldRequest } from './projection/fold-events.ts';
import type { ProjectionInfo, ProjectionState } from './projection/kept-projections.ts';
import type { Projection, ProjectionDefinition } from './projection/projection.ts';
import { decodeCursor, encodeCursor } from './query/cursor.ts';
import { type EventsPage, eventsPage } from './query/events-page.ts';
import type { StreamRequest } from './query/history.ts';
import { parseEventQuery } from './query/parse-query.ts';
import type { FilterPreview, PreviewRequest } from './query/preview.ts';
import { embeddedRealtime } from './realtime/embedded-realtime.ts';
import type { RealtimeRequest } from './realtime/realtime-request.ts';
import {
  createRealtimeStream,
  type OpeningRealtimeStream,
  type RealtimeHost,
  setupRealtimeStream,
} from './realtime/realtime-stream.ts';
import { refuseUnknownOptions } from './refuse-unknown-options.ts';
import { replayEmbedded, wholeReport } from './runs/embedded-runs.ts';
import type { LettersRequest, RedriveRequest } from './runs/redrive/letter-request.ts';
import type { LetterGroupsFound, SelectedLetters } from './runs/redrive/scan-letters.ts';
import type { ReplayAnswer, ReplayRequestIn } from './runs/replay/replay-options.ts';
import type { Run, RunFailure, RunsRequest } from './runs/run.ts';
import type { ScheduledEvent, ScheduledEventWithContent } from './schedule/scheduled-event.ts';
import type { StreamReader } from './stream/stream-reader.ts';
import type { BlockedKey, KeysRequest, ReleasedKeys } from './subscription/blocked-keys.ts';
import { pullEmbedded } from './subscription/pull-embedded.ts';
import type { PulledDelivery, PullOptions } from './subscription/pulled-delivery.ts';
import type { ResetRequestIn, SubscriptionReset } from './subscription/resets.ts';
import type { SubscriptionDefinition } from './subscription/subscription.ts';
import type { SubscriptionStatus } from './subscription/subscription-status.ts';
import type { TopicInfo, TopicOptions, TopicSchema } from './topic/topic-info.ts';
import type { AnyEvents, EventOf, EventOn } from './typed/event-map.ts';
import type { DeliveriesRequest, EventDeliveries } from './why/event-deliveries.ts';
import type { Why } from './why/why.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

/** An event manager whose engine runs in this process. What its events look like is known to the compiler alone. */
export class EmbeddedEventManager<Events = AnyEvents> implements EventManager<Events> {
  readonly #options: EventManagerOptions<Events>;
  readonly #principal: Principal;
  #opening: Promise<Engine> | undefined;
  #engine: Engine | undefined;
  #closed = false;

  constructor(options: EventManagerOptions<Events> = {}) {
    refuseUnknownOptions(options, OPTION_NAMES, 'EventManager');
    if (options.adapter !== undefined) assertAdapter(options.adapter, 'EventManager');
    refuseUnknownOptions(options.limits ?? {}, Object.keys(DEFAULT_LIMITS), 'limits');
    for (const [name, value] of Object.entries(options.limits ?? {})) {
      // What is no number is no limit: nothing is more than NaN.
      if (value !== undefined && !(value >= 0)) throw new TypeError(`limits.${name} is a number from 0 on.`);
    }
    this.#options = options;
    this.#principal = options.principal ?? ANONYMOUS;
  }

  publish(event: EventIn): Promise<PublishResult> {
    // Not an async function: it would add three turns of the microtask queue to every event.
    if (this.#engine && !this.#closed) return this.#engine.publish(this.#principal, event);
    return this.#open().then((engine) => engine.publish(this.#principal, event));
  }

  async publishBatch(events: readonly EventIn[]): Promise<BatchPublishResult> {
    const engine = await this.#open();
    const results = await engine.publishBatch(this.#principal, events);
    return { results, ...countResults(results) };
  }

  async subscribe<const Topic extends string>(
    request: SubscribeRequest<EventOn<Events, Topic>, Topic>,
  ): Promise<Subscription> {
    const engine = await this.#open();
    const { definition, attached } = await engine.subscriptions.join(this.#principal, request);
    const { id, name } = definition;
    const unsubscribe = () => this.unsubscribe(id);
    const detach = async () => {
      if (attached) await engine.subscriptions.detach(this.#principal, id, attached);
    };
    // A named subscription is made to outlive its holder.
    const dispose = name === undefined ? unsubscribe : detach;
    return { id, definition, unsubscribe, detach, [Symbol.asyncDispose]: dispose };
  }

  async unsubscribe(subscriptionId: string): Promise<void> {
    const engine = await this.#openFor(subscriptionId);
    await engine.subscriptions.unsubscribe(this.#principal, subscriptionId);
  }

  async detach(subscriptionId: string): Promise<void> {
    const { subscriptions } = await this.#openFor(subscriptionId);
    await subscriptions.detach(this.#principal, subscriptionId);
  }

  async pull(subscriptionId: string, options: PullOptions = {}): Promise<readonly PulledDelivery<EventOf<Events>>[]> {
    const { subscriptions } = await this.#openFor(subscriptionId);
    const pulled = await pullEmbedded(subscriptions.pulls, this.#principal, subscriptionId, options);
    return pulled as readonly PulledDelivery<EventOf<Events>>[];
  }

  async updateSubscription(subscriptionId: string, changes: JsonObject): Promise<SubscriptionDefinition> {
    const engine = await this.#openFor(subscriptionId);
    return engine.subscriptions.update(this.#principal, subscriptionId, changes);
  }

  async pauseSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    const engine = await this.#openFor(subscriptionId);
    return engine.subscriptions.pause(this.#principal, subscriptionId);
  }

  async resumeSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    const engine = await this.#openFor(subscriptionId);
    return engine.subscriptions.resume(this.#principal, subscriptionId);
  }

  async resetSubscription(subscriptionId: string, request: ResetRequestIn): Promise<SubscriptionReset> {
    return (await this.#openFor(subscriptionId)).subscriptions.resets.reset(this.#principal, subscriptionId, request);
  }

  async getSubscription(subscriptionId: string): Promise<SubscriptionDefinition & { status: SubscriptionStatus }> {
    const { subscriptions } = await this.#openFor(subscriptionId);
    const definition = subscriptions.get(this.#principal, subscriptionId);
    return { ...definition, status: await subscriptions.progress(this.#principal, subscriptionId) };
  }

  async listSubscriptions(): Promise<readonly SubscriptionDefinition[]> {
    const engine = await this.#open();
    return engine.subscriptions.list(this.#principal);
  }

  async createTopic(topic: string, schema?: TopicSchema, options?: TopicOptions): Promise<TopicInfo> {
    const { topics } = await this.#open();
    return topics.create(this.#principal, { ...options, topic, schema });
  }

  async addTopicSchema(topic: string, schema: TopicSchema, options?: TopicOptions): Promise<TopicInfo> {
    const { topics } = await this.#openFor(topic);
    return topics.addSchema(this.#principal, topic, { ...options, schema });
  }

  async getTopic(topic: string): Promise<TopicInfo> {
    const { topics } = await this.#openFor(topic);
    return topics.get(this.#principal, topic);
  }

  async listTopics(): Promise<readonly TopicInfo[]> {
    const { topics } = await this.#open();
    return topics.list(this.#principal);
  }

  async removeTopic(topic: string): Promise<void> {
    await (await this.#openFor(topic)).topics.remove(this.#principal, topic);
  }

  async registerContext(subscriber: string, context: RelevanceContextIn): Promise<SubscriberContext> {
    return (await this.#openFor(subscriber)).contexts.register(this.#principal, subscriber, context);
  }

  async getContext(subscriber: string): Promise<SubscriberContext> {
    return (await this.#openFor(subscriber)).contexts.get(this.#principal, subscriber);
  }

  async listContexts(): Promise<readonly SubscriberContext[]> {
    return (await this.#open()).contexts.list(this.#principal);
  }

  async removeContext(subscriber: string): Promise<void> {
    await (await this.#openFor(subscriber)).contexts.remove(this.#principal, subscriber);
  }

  async getEvent(eventId: string): Promise<EventOf<Events>> {
    const engine = await this.#openFor(eventId);
    const known = parseEventId(eventId);
    const record = known === undefined ? undefined : await engine.history.event(this.#principal, known);
    if (!record) throw new EventManagerError('event_not_found', 'No event with this id is kept.', { id: eventId });
    return decodeEvent(record.body) as EventOf<Events>;
  }

  async getEvents(query: unknown = {}, request: EventsRequest = {}): Promise<EventsPage<EventOf<Events>>> {
    const engine = await this.#open();
    const { limit = PAGE_DEFAULT, direction = 'forward', cursor } = request;
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
      throw new EventManagerError('invalid_query', `limit is a whole number from 1 to ${PAGE_MAX}.`, {
        pointer: '/limit',
      });
    }
    const parsed = parseEventQuery(query, engine.limits);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, '/cursor')[0];
    const found = await engine.history.find(this.#principal, parsed, { limit, direction, after });
    const events = found.records.map((record: Recorded) => decodeEvent(record.body) as EventOf<Events>);
    const nextCursor = found.next === undefined ? undefined : encodeCursor([found.next]);
    return eventsPage(events, { nextCursor, complete: found.complete });
  }

  async getEventGraph(eventId: string, request: EventGraphRequest = {}): Promise<EventGraph> {
    return (await this.#openFor(eventId)).history.graph(this.#principal, eventId, request);
  }

  async project<State, const Topic extends string = string>(
    definition: ProjectionDefinition<State, EventOn<Events, Topic>>,
  ): Promise<Projection<State>> {
    return (await this.#open()).projections.open(this.#principal, definition);
  }

  async listProjections(): Promise<readonly ProjectionInfo[]> {
    return (await this.#open()).projections.kept.all(this.#principal);
  }

  async getProjection(name: string): Promise<ProjectionInfo> {
    return (await this.#openFor(name)).projections.kept.get(this.#principal, name);
  }

  async getProjectionState(name: string, key?: string): Promise<ProjectionState> {
    return (await this.#openFor(name)).projections.kept.state(this.#principal, name, key);
  }

  async listProjectionKeys(name: string): Promise<readonly string[]> {
    return (await this.#openFor(name)).projections.kept.allKeys(this.#principal, name);
  }

  async removeProjection(name: string): Promise<void> {
    await (await this.#openFor(name)).projections.kept.remove(this.#principal, name);
  }

  async foldEvents<State, const Topic extends string = string>(
    request: FoldRequest<State, EventOn<Events, Topic>>,
  ): Promise<State> {
    return (await this.#open()).history.fold(this.#principal, request as unknown as FoldRequest<State>);
  }

  async stream(request: StreamRequest = {}): Promise<StreamReader> {
    const engine = await this.#open();
    return engine.history.stream(this.#principal, request);
  }

  async listKeys(subscriptionId: string, request: KeysRequest = {}): Promise<readonly BlockedKey[]> {
    const { subscriptions } = await this.#openFor(subscriptionId);
    return subscriptions.keys.all(this.#principal, subscriptionId, request);
  }

  async releaseKey(subscriptionId: string, key: string): Promise<BlockedKey> {
    const { subscriptions } = await this.#openFor(subscriptionId);
    return subscriptions.keys.release(this.#principal, subscriptionId, key);
  }

  async releaseKeys(subscriptionId: string): Promise<ReleasedKeys> {
    const { subscriptions } = await this.#openFor(subscriptionId);
    return subscriptions.keys.releaseAll(this.#principal, subscriptionId);
  }

  async listDeadLetters(subscriptionId?: string, request?: DeadLettersRequest): Promise<readonly DeadLetter[]> {
    const engine = await this.#openFor(...(subscriptionId === undefined ? [] : [subscriptionId]));
    return engine.deadLetters.all(this.#principal, subscriptionId, request);
  }

  async getDeadLetter(id: string): Promise<DeadLetter> {
    const engine = await this.#openFor(id);
    const letter = await engine.deadLetters.get(this.#principal, id);
    if (!letter) throw new EventManagerError('dead_letter_not_found', 'No dead letter with this id is kept.', { id });
    return letter;
  }

  async groupDeadLetters({ subscriptionId }: { subscriptionId?: string | undefined } = {}): Promise<LetterGroupsFound> {
    return (await this.#open()).redrives.groups(this.#principal, subscriptionId);
  }

  async redrive(request: RedriveRequest & { readonly dryRun?: boolean | undefined }): Promise<Run & SelectedLetters> {
    const { redrives, runs } = await this.#open();
    return (await redrives.start(this.#principal, 'redrive', request, runs)) as Run & SelectedLetters;
  }

  async discard(request: LettersRequest & { readonly dryRun?: boolean | undefined }): Promise<Run & SelectedLetters> {
    const { redrives, runs } = await this.#open();
    return (await redrives.start(this.#principal, 'discard', request, runs)) as Run & SelectedLetters;
  }

  async replay<const Request extends ReplayRequestIn>(request: Request): Promise<ReplayAnswer<Request>> {
    const answer = await replayEmbedded(await this.#open(), this.#principal, request);
    return answer as ReplayAnswer<Request>;
  }

  replayEvents<const Request extends ReplayRequestIn>(request: Request): Promise<ReplayAnswer<Request>> {
    return this.replay(request);
  }

  async getRun(id: string): Promise<Run> {
    return (await this.#openFor(id)).runs.get(this.#principal, id);
  }

  async listRuns(request: RunsRequest = {}): Promise<readonly Run[]> {
    return (await this.#open()).runs.list(this.#principal, request);
  }

  async pauseRun(id: string): Promise<Run> {
    return (await this.#openFor(id)).runs.pause(this.#principal, id);
  }

  async resumeRun(id: string): Promise<Run> {
    return (await this.#openFor(id)).runs.resume(this.#principal, id);
  }

  async cancelRun(id: string): Promise<Run> {
    return (await this.#openFor(id)).runs.cancel(this.#principal, id);
  }

  async getRunReport(id: string): Promise<readonly RunFailure[]> {
    return wholeReport(await this.#openFor(id), this.#principal, id);
  }

  createRealtimeStream(request: RealtimeRequest): OpeningRealtimeStream {
    return createRealtimeStream(this.#realtime(), request);
  }

  setupRealtimeStream(subscriberId: string, options?: unknown): OpeningRealtimeStream {
    return setupRealtimeStream(this.#realtime(), subscriberId, options);
  }

  async listScheduled(): Promise<readonly ScheduledEvent[]> {
    return (await this.#open()).schedule.all(this.#principal);
  }

  async getScheduled(eventId: string): Promise<ScheduledEventWithContent> {
    return (await this.#openFor(eventId)).schedule.get(this.#principal, eventId);
  }

  async cancelScheduled(eventId: string): Promise<boolean> {
    return (await this.#openFor(eventId)).schedule.cancel(this.#principal, eventId);
  }

  async why(subscriptionId: string, eventId: string): Promise<Why> {
    return (await this.#openFor(subscriptionId, eventId)).explanations.why(this.#principal, subscriptionId, eventId);
  }

  async listDeliveries(eventId: string, request: DeliveriesRequest = {}): Promise<EventDeliveries> {
    return (await this.#openFor(eventId)).explanations.deliveries(this.#principal, eventId, request);
  }

  async previewFilter(request: PreviewRequest = {}): Promise<FilterPreview> {
    return (await this.#open()).history.preview(this.#principal, request);
  }

  async getHealth(): Promise<EngineHealth> {
    const engine = await this.#open();
    return engine.health();
  }

  async getMetrics(): Promise<EventMetrics> {
    const engine = await this.#open();
    return engine.metrics();
  }

  async settled(): Promise<void> {
    const engine = await this.#open();
    await engine.settled();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    // What keeps it from opening is heard by whoever called it first.
    const engine = await opening?.catch(() => undefined);
    await engine?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #realtime(): RealtimeHost {
    return embeddedRealtime(this as unknown as RealtimeHost['events'], () => this.#open(), this.#options.runtime);
  }

  /** For an operation on what these ids or names stand for. Throws `invalid_request`. */
  #openFor(...ids: readonly unknown[]): Promise<Engine> {
    for (const id of ids) assertId(id);
    return this.#open();
  }

  async #open(): Promise<Engine> {
    if (this.#closed) throw new EventManagerError('closed', 'The event manager is closed.');
    this.#opening ??= Engine.open({ ...this.#options, adapter: this.#options.adapter ?? memory() });
    try {
      this.#engine = await this.#opening;
    } catch (error) {
      // The next call tries again: a lock may have been freed meanwhile.
      this.#opening = undefined;
      throw error;
    }
    return this.#engine;
  }
}
