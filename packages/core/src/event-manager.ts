import type { EventGraph, EventGraphRequest } from './causation/event-graph.ts';
import type { RelevanceContextIn, SubscriberContext } from './context/context.ts';
import type { EventBusAdapter } from './contracts/adapter.ts';
import type { DeadLetter } from './dispatch/dead-letter.ts';
import type { DeadLettersRequest } from './dispatch/dead-letters.ts';
import { EmbeddedEventManager } from './embedded-event-manager.ts';
import type { EngineHealth, EngineOptions } from './engine.ts';
import type { BatchResult } from './ingest/ingest.ts';
import type { PublishResult } from './ingest/publish-result.ts';
import type { JsonObject } from './json.ts';
import type { EventMetrics } from './metrics/event-metrics.ts';
import type { Principal } from './principal.ts';
import type { FoldRequest } from './projection/fold-events.ts';
import type { ProjectionInfo, ProjectionState } from './projection/kept-projections.ts';
import type { Projection, ProjectionDefinition } from './projection/projection.ts';
import type { EventsPage } from './query/events-page.ts';
import type { StreamRequest } from './query/history.ts';
import type { FilterPreview, PreviewRequest } from './query/preview.ts';
import type { RealtimeRequest } from './realtime/realtime-request.ts';
import type { OpeningRealtimeStream } from './realtime/realtime-stream.ts';
import type { LettersRequest, RedriveRequest } from './runs/redrive/letter-request.ts';
import type { LetterGroupsFound, SelectedLetters } from './runs/redrive/scan-letters.ts';
import type { ReplayAnswer, ReplayRequestIn } from './runs/replay/replay-options.ts';
import type { Run, RunFailure, RunsRequest } from './runs/run.ts';
import type { ScheduledEvent, ScheduledEventWithContent } from './schedule/scheduled-event.ts';
import type { StreamReader } from './stream/stream-reader.ts';
import type { BlockedKey, KeysRequest, ReleasedKeys } from './subscription/blocked-keys.ts';
import type { PulledDelivery, PullOptions } from './subscription/pulled-delivery.ts';
import type { ResetRequestIn, SubscriptionReset } from './subscription/resets.ts';
import type { SubscriptionFields } from './subscription/subscribe-options.ts';
import type { SubscriptionDefinition } from './subscription/subscription.ts';
import type { SubscriptionStatus } from './subscription/subscription-status.ts';
import type { TopicInfo, TopicOptions, TopicSchema } from './topic/topic-info.ts';
import type { EventDefinitions } from './typed/define-events.ts';
import type {
  AnyEvents,
  BatchHandlerOf,
  EventInOf,
  EventOf,
  EventOn,
  EventTypeOf,
  HandlerOf,
} from './typed/event-map.ts';
import type { DeliveriesRequest, EventDeliveries } from './why/event-deliveries.ts';
import type { Why } from './why/why.ts';

/** What `subscribe` takes; `docs/` lists every spelling and default. At most one of handler, batchHandler and endpoint. */
export interface SubscribeRequest<Received = EventOf<AnyEvents>, Topic extends string = string>
  extends SubscriptionFields {
  /** Topic pattern. */
  readonly topic: Topic;
  readonly handler?: HandlerOf<Received> | undefined;
  readonly batchHandler?: BatchHandlerOf<Received> | undefined;
}

/** A subscription as its subscriber holds it. */
export interface Subscription extends AsyncDisposable {
  readonly id: string;
  readonly definition: SubscriptionDefinition;
  /** The same as `EventManager.unsubscribe(id)`: the subscription ends for all its members. */
  unsubscribe(): Promise<void>;
  /** This handler leaves; other members go on. A named subscription goes on existing, one without a name ends with its handler. */
  detach(): Promise<void>;
}

export interface BatchPublishResult {
  /** One per event, in order. */
  readonly results: readonly BatchResult[];
  readonly stored: number;
  /** Accepted durably, and waiting for their time. */
  readonly scheduled: number;
  readonly duplicates: number;
  readonly failed: number;
}

export interface EventsRequest {
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
  /** `forward` (default) is oldest first. */
  readonly direction?: 'forward' | 'backward';
}

/**
 * The bus as applications see it; the same interface embedded and over the network. `Events` maps each event type to its
 * payload; without it every payload is any JSON object.
 */
export interface EventManager<Events = AnyEvents> extends AsyncDisposable {
  /** Resolves when the event is as durable as the adapter promises. Throws `EventManagerError`. */
  publish<Type extends EventTypeOf<Events>>(event: EventInOf<Events, Type>): Promise<PublishResult>;
  /** Stores the good events of the batch; each bad one has its own error in `results`. */
  publishBatch(events: readonly EventInOf<Events>[]): Promise<BatchPublishResult>;
  /**
   * Every event acknowledged after this resolved is owed to the subscription. Under a name that exists, with the same
   * definition, the handler is one more member that shares it. Without handler and endpoint its deliveries are pulled.
   */
  subscribe<const Topic extends string>(
    request: SubscribeRequest<EventOn<Events, Topic>, Topic>,
  ): Promise<Subscription>;
  /** Throws `subscription_not_found`. */
  unsubscribe(subscriptionId: string): Promise<void>;
  /** The handlers of this process leave a named subscription, which goes on existing: what it is owed waits. */
  detach(subscriptionId: string): Promise<void>;
  /**
   * Asks for what a subscription without handler and endpoint is owed: at least one delivery, at most `max`, or none after
   * `waitMs`. Throws `subscription_not_found`, `not_supported` for one with another way out, `overloaded`.
   */
  pull(subscriptionId: string, options?: PullOptions): Promise<readonly PulledDelivery<EventOf<Events>>[]>;
  /** In force when it resolves; inside the subscription's own handler once the attempts under way have ended. */
  updateSubscription(subscriptionId: string, changes: JsonObject): Promise<SubscriptionDefinition>;
  pauseSubscription(subscriptionId: string): Promise<SubscriptionDefinition>;
  resumeSubscription(subscriptionId: string): Promise<SubscriptionDefinition>;
  /**
   * Has a named subscription go on from another place of the log: what follows it is owed from then on, also what it had before,
   * and what waited for a retry is dropped. Throws `subscription_not_found`, `invalid_run`, `invalid_cursor`, `not_supported`.
   */
  resetSubscription(subscriptionId: string, request: ResetRequestIn): Promise<SubscriptionReset>;
  getSubscription(subscriptionId: string): Promise<SubscriptionDefinition & { readonly status: SubscriptionStatus }>;
  listSubscriptions(): Promise<readonly SubscriptionDefinition[]>;
  /**
   * Declares a topic, which no topic needs: its payloads have to fit the schema from now on. A JSON Schema is kept with the
   * topic and holds for all who publish; one of a library (zod, valibot, …) holds in this process, while it runs. Resolves with
   * the topic also when it was declared like this before. Throws `topic_conflict`, `invalid_schema`, `schema_incompatible`,
   * `not_supported` (a JSON Schema without a compiler), `invalid_topic`, `topic_reserved`.
   */
  createTopic(topic: string, schema?: TopicSchema, options?: TopicOptions): Promise<TopicInfo>;
  /** A new version of the schema, which stored events have to fit too unless the compatibility is `none`. Throws `topic_not_found` and the same. */
  addTopicSchema(topic: string, schema: TopicSchema, options?: TopicOptions): Promise<TopicInfo>;
  /** Throws `topic_not_found` for a topic that was not declared, whether or not it has events. */
  getTopic(topic: string): Promise<TopicInfo>;
  /** All that were declared, in the order of their names. */
  listTopics(): Promise<readonly TopicInfo[]>;
  /** Forgets a declaration: events on the topic have to fit nothing any more. What is stored stays. Throws `topic_not_found`. */
  removeTopic(topic: string): Promise<void>;
  /**
   * Says whom a subscriber works for, in place of what it said before: users, projects, sessions. Filters that ask what is relevant
   * judge by it from the next delivery on. Throws `invalid_context`, `too_many_contexts`.
   */
  registerContext(subscriber: string, context: RelevanceContextIn): Promise<SubscriberContext>;
  /** Throws `context_not_found`. */
  getContext(subscriber: string): Promise<SubscriberContext>;
  /** All that are registered, in the order of the subscribers' names. */
  listContexts(): Promise<readonly SubscriberContext[]>;
  /** Without a context whatever names anybody is relevant. Throws `context_not_found`. */
  removeContext(subscriber: string): Promise<void>;
  /** Throws `event_not_found`. */
  getEvent(eventId: string): Promise<EventOf<Events>>;
  /** Stored events by the fields of `EventQuery`, in any documented spelling. */
  getEvents(query?: unknown, request?: EventsRequest): Promise<EventsPage<EventOf<Events>>>;
  /** What an event followed from, what followed from it, and its flow. Throws `event_not_found`, `invalid_query`. */
  getEventGraph(eventId: string, request?: EventGraphRequest): Promise<EventGraph>;
  /**
   * Folds events into a state, or into one for each key, and keeps it with how far it is: a read model. Goes on with the events to
   * come. Of several processes one folds and the others read. Throws `projection_conflict`, `invalid_pattern`, `invalid_filter`;
   * `not_supported` by a client: it has no store.
   */
  project<State, const Topic extends string = string>(
    definition: ProjectionDefinition<State, EventOn<Events, Topic>> & { readonly topic?: Topic | undefined },
  ): Promise<Projection<State>>;
  /** What projections keep, whoever defined them; by name. */
  listProjections(): Promise<readonly ProjectionInfo[]>;
  /** Throws `projection_not_found`. */
  getProjection(name: string): Promise<ProjectionInfo>;
  /** A state as it was kept last: of a key, or the one of a projection without keys; `null` where nothing is kept. Throws `projection_not_found`. */
  getProjectionState(name: string, key?: string): Promise<ProjectionState>;
  /** Keys that have a state. Throws `projection_not_found`. */
  listProjectionKeys(name: string): Promise<readonly string[]>;
  /** Forgets what is kept. Throws `projection_not_found`, and `projection_conflict` while a process folds it. */
  removeProjection(name: string): Promise<void>;
  /** Folds what is stored, now or as it was at a point in time, into a state that is not kept. Throws what `project` and `apply` throw. */
  foldEvents<State, const Topic extends string = string>(
    request: FoldRequest<State, EventOn<Events, Topic>> & { readonly topic?: Topic | undefined },
  ): Promise<State>;
  /** Reads the log from a cursor, without debt. */
  stream(request?: StreamRequest): Promise<StreamReader>;
  /** The keys of an ordered subscription whose later events wait, in their order. Throws `subscription_not_found`, `invalid_query`. */
  listKeys(subscriptionId: string, request?: KeysRequest): Promise<readonly BlockedKey[]>;
  /**
   * The events behind the dead letter of a parked key go on. Resolves with the key as it was, when that is durable; one that is
   * not parked stays as it is. Throws `subscription_not_found`.
   */
  releaseKey(subscriptionId: string, key: string): Promise<BlockedKey>;
  /**
   * The same for every key that is parked now. Resolves with how many there were, and how many events waited in them, when that is
   * durable. Throws `subscription_not_found`.
   */
  releaseKeys(subscriptionId: string): Promise<ReleasedKeys>;
  /** Of one subscription, or of all; in the order of their keys: subscription, then position. Throws `invalid_query`. */
  listDeadLetters(subscriptionId?: string, request?: DeadLettersRequest): Promise<readonly DeadLetter[]>;
  /** Throws `dead_letter_not_found`. */
  getDeadLetter(id: string): Promise<DeadLetter>;
  /** The open dead letters by their causes, the latest error first. */
  groupDeadLetters(request?: { readonly subscriptionId?: string | undefined }): Promise<LetterGroupsFound>;
  /**
   * Delivers dead letters once more, to the subscription that gave up on them. Resolves when that is durable, with a run that goes
   * on by itself. With `dryRun` nothing is done: it says what is meant. Throws `invalid_run`, `dead_letter_not_found`,
   * `subscription_not_found`, `confirmation_required`, and for another payload what `publish` throws.
   */
  redrive(request: RedriveRequest & { readonly dryRun: true }): Promise<SelectedLetters>;
  redrive(request: RedriveRequest & { readonly dryRun?: false | undefined }): Promise<Run>;
  /** Closes dead letters: nobody will get them. They stay to be looked at. The same otherwise. */
  discard(request: LettersRequest & { readonly dryRun: true }): Promise<SelectedLetters>;
  discard(request: LettersRequest & { readonly dryRun?: false | undefined }): Promise<Run>;
  /** Events that wait for their time (`deliverAt`, `delayMs`), the earliest first. */
  listScheduled(): Promise<readonly ScheduledEvent[]>;
  /** Throws `scheduled_not_found`, also for an event whose time has come. */
  getScheduled(eventId: string): Promise<ScheduledEventWithContent>;
  /**
   * Resolves with true when it was in time: nobody will ever see the event. With false when it is published already. Throws
   * `scheduled_not_found` when neither is known of the id.
   */
  cancelScheduled(eventId: string): Promise<boolean>;
  /**
   * Why an event did or did not come to a subscription: the reason, what to do about it, and what happened so far. An event that
   * nobody knows is an answer, too. Throws `subscription_not_found`.
   */
  why(subscriptionId: string, eventId: string): Promise<Why>;
  /** The same in short for every subscription whose pattern the topic of the event matches, or for all. Throws `event_not_found`. */
  listDeliveries(eventId: string, request?: DeliveriesRequest): Promise<EventDeliveries>;
  /**
   * Tries a pattern and a filter on stored events: how many would be wanted, with the clause that keeps out the others. The
   * time to look is bounded. Throws `invalid_query`, `invalid_pattern`, `invalid_filter`, `invalid_context`, `invalid_cursor`.
   */
  previewFilter(request?: PreviewRequest): Promise<FilterPreview>;
  getHealth(): Promise<EngineHealth>;
  /** What was counted since the start, and how it is now. */
  getMetrics(): Promise<EventMetrics>;
  /**
   * Delivers the events of a range of the log once more, marked, to the subscriptions that match them. Resolves when it is durable
   * that this shall be done; with `dryRun` it only counts. Throws `invalid_run`, `subscription_not_found`, `too_many_runs`.
   */
  replay<const Request extends ReplayRequestIn>(request: Request): Promise<ReplayAnswer<Request>>;
  /** The same. */
  replayEvents<const Request extends ReplayRequestIn>(request: Request): Promise<ReplayAnswer<Request>>;
  /** A replay, redrive or discard, and how far it is. Throws `run_not_found`. */
  getRun(id: string): Promise<Run>;
  /** The newest first. */
  listRuns(request?: RunsRequest): Promise<readonly Run[]>;
  /** Nothing more is begun; what is under way goes on. Throws `run_not_found`, `run_ended`. */
  pauseRun(id: string): Promise<Run>;
  resumeRun(id: string): Promise<Run>;
  /** It ends where it is: what was done stays done. Throws `run_not_found`, `run_ended`. */
  cancelRun(id: string): Promise<Run>;
  /** The deliveries that a replay gave up on: of each subscription the first thousand. Throws `run_not_found`. */
  getRunReport(id: string): Promise<readonly RunFailure[]>;
  /**
   * A subscription whose events go to a WebSocket endpoint that the bus connects to, or, without an endpoint, to `onEvent` of what
   * this returns. Usable at once; awaited, it is connected or known not to be. Throws what `subscribe` throws.
   */
  createRealtimeStream(request: RealtimeRequest): OpeningRealtimeStream;
  /** The same for a subscriber: fields of the filter, options and `endpoint` in one object. Changes what it set up before. */
  setupRealtimeStream(subscriberId: string, options?: unknown): OpeningRealtimeStream;
  /** Resolves when everything acknowledged so far is settled: for tests. */
  settled(): Promise<void>;
  /** Ends in order. Rejects, with everything released, when progress did not become durable. */
  close(): Promise<void>;
}

export interface EventManagerOptions<Events = AnyEvents> extends Partial<Omit<EngineOptions, 'adapter'>> {
  /** Where events are kept. Default: in memory. */
  readonly adapter?: EventBusAdapter;
  readonly principal?: Principal;
  /** Schemas of the events, made by `defineEvents`: they give the types, and payloads are held against them. */
  readonly events?: EventDefinitions<Events>;
}

/** Makes an embedded event manager. The adapter is opened by the first call. Without options everything is in memory. */
export const EventManager: new <Events = AnyEvents>(options?: EventManagerOptions<Events>) => EventManager<Events> =
  EmbeddedEventManager;
