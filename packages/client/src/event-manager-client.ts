import type {
  BatchPublishResult,
  BlockedKey,
  DeadLetter,
  DeadLettersRequest,
  DeliveriesRequest,
  EngineHealth,
  EventDeliveries,
  EventGraph,
  EventGraphRequest,
  EventManager,
  EventMetrics,
  EventsRequest,
  FilterPreview,
  FoldRequest,
  KeysRequest,
  LetterGroupsFound,
  LettersRequest,
  PreviewRequest,
  ProjectionInfo,
  ProjectionState,
  PublishResult,
  PulledDelivery,
  PullOptions,
  RedriveRequest,
  ReleasedKeys,
  ReplayAnswer,
  ReplayRequestIn,
  ResetRequestIn,
  Run,
  RunFailure,
  RunsRequest,
  ScheduledEvent,
  ScheduledEventWithContent,
  SelectedLetters,
  StreamReader,
  StreamRequest,
  SubscribeRequest,
  Subscription,
  SubscriptionDefinition,
  SubscriptionReset,
  SubscriptionStatus,
  Why,
} from '@event-manager/core';
import {
  type AnyEvents,
  countResults,
  createRealtimeStream,
  DEFAULT_LIMITS,
  type EventInOf,
  EventManagerError,
  type EventOf,
  type EventOn,
  type EventsPage,
  type EventTypeOf,
  isEventManagerError,
  isStandardSchema,
  type JsonObject,
  type OpeningRealtimeStream,
  type RealtimeHost,
  type RealtimeRequest,
  type RelevanceContextIn,
  type StandardSchema,
  type SubscriberContext,
  setupRealtimeStream,
  type TopicInfo,
  type TopicOptions,
} from '@event-manager/core/portable';
import { type ClientOptions, clientSettings } from './client-options.ts';
import { Connection } from './connection/connection.ts';
import { Requests } from './connection/requests.ts';
import { foldRemoteEvents } from './http/fold-remote-events.ts';
import { HttpCaller } from './http/http-caller.ts';
import { RemoteContexts } from './http/remote-contexts.ts';
import { RemoteLetters } from './http/remote-letters.ts';
import { RemoteProjections } from './http/remote-projections.ts';
import { RemotePulls } from './http/remote-pulls.ts';
import { RemoteRuns } from './http/remote-runs.ts';
import { RemoteScheduled } from './http/remote-scheduled.ts';
import { RemoteState } from './http/remote-state.ts';
import { RemoteWhy } from './http/remote-why.ts';
import { errorAt } from './publish/event-text.ts';
import { Outbox } from './publish/outbox.ts';
import { PayloadChecks } from './publish/payload-checks.ts';
import { Publisher } from './publish/publisher.ts';
import { remoteRealtime } from './realtime/remote-realtime.ts';
import { serviceAddress } from './service-address.ts';
import { RemoteStreams } from './stream/remote-streams.ts';
import { Attachments } from './subscribe/attachments.ts';
import { readSubscribeRequest } from './subscribe/read-subscribe-request.ts';

/**
 * The event manager of a service, with the interface of an embedded one (`docs/guides/first-service.md`). Nothing is called
 * before the first use. A service that is away for a while is waited for: events are sent again under their ids, handlers
 * attach again, streams go on behind what they had.
 */
export class EventManagerClient<Events = AnyEvents> implements EventManager<Events> {
  readonly #http: HttpCaller;
  readonly #state: RemoteState;
  readonly #contexts: RemoteContexts;
  readonly #projections: RemoteProjections;
  readonly #scheduled: RemoteScheduled;
  readonly #runs: RemoteRuns;
  readonly #letters: RemoteLetters;
  readonly #pulls: RemotePulls;
  readonly #why: RemoteWhy;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #publisher: Publisher;
  readonly #checks: PayloadChecks;
  readonly #attachments: Attachments;
  readonly #streams: RemoteStreams;
  readonly #realtime: RealtimeHost;
  #closing: Promise<void> | undefined;

  /** Throws `TypeError` for an address or an option that cannot be meant. */
  constructor(url: string | URL, options: ClientOptions<Events> = {}) {
    const settings = clientSettings(options);
    const { runtime, requestTimeoutMs: timeoutMs } = settings;
    const address = serviceAddress(url);
    this.#http = new HttpCaller({ ...settings, url: address.http });
    this.#state = new RemoteState(this.#http);
    this.#letters = new RemoteLetters(this.#http);
    this.#pulls = new RemotePulls(this.#http, runtime.timers);
    this.#contexts = new RemoteContexts(this.#http);
    this.#projections = new RemoteProjections(this.#http);
    this.#scheduled = new RemoteScheduled(this.#http);
    this.#why = new RemoteWhy(this.#http);
    this.#runs = new RemoteRuns(this.#http);
    const connection = new Connection({ ...settings, url: address.socket });
    const requests = new Requests(connection);
    this.#connection = connection;
    // The order in which a new connection is told: who receives comes before what is published.
    this.#attachments = new Attachments({ ...settings, connection, requests, state: this.#state, timeoutMs });
    this.#streams = new RemoteStreams({ connection, requests, runtime, timeoutMs });
    this.#realtime = remoteRealtime({
      ...{ events: this as unknown as RealtimeHost['events'], state: this.#state, streams: this.#streams },
      ...{ isAttached: (id) => this.#attachments.find(id)?.socketId !== undefined, runtime, onError: settings.onError },
    });
    this.#outbox = new Outbox({ ...settings, connection });
    this.#checks = new PayloadChecks(settings.events);
    this.#publisher = new Publisher({ runtime, outbox: this.#outbox, checks: this.#checks });
  }

  /** The id is made here, so an event is stored once however often it has to be sent. Throws also `unreachable`. */
  publish<Type extends EventTypeOf<Events>>(event: EventInOf<Events, Type>): Promise<PublishResult> {
    try {
      this.#assertOpen();
      return this.#publisher.publish(event);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async publishBatch(events: readonly EventInOf<Events>[]): Promise<BatchPublishResult> {
    this.#assertOpen();
    if (!Array.isArray(events)) {
      throw new EventManagerError('invalid_event', 'A list of events is expected.', { pointer: '' });
    }
    const { batchEventsMax: limit } = DEFAULT_LIMITS;
    if (events.length > limit) {
      throw new EventManagerError('batch_too_large', `A batch holds at most ${limit} events.`, { limit });
    }
    this.#outbox.assertRoom(events.length);
    const results = await Promise.all(events.map((event, index) => this.#publishOne(event, index)));
    return { results, ...countResults(results) };
  }

  async subscribe<const Topic extends string>(
    request: SubscribeRequest<EventOn<Events, Topic>, Topic>,
  ): Promise<Subscription> {
    this.#assertOpen();
    const { body, handling } = readSubscribeRequest(request);
    const attachment = handling && (await this.#attachments.subscribe(body, handling));
    const definition = attachment?.definition ?? (await this.#state.createSubscription(body));
    const { id, name } = definition;
    const unsubscribe = () => this.unsubscribe(id);
    const detach = async () => {
      if (attachment && this.#attachments.findAll(id).includes(attachment)) await this.#attachments.detach(attachment);
    };
    // A named subscription is made to outlive its holder.
    const dispose = name === undefined ? unsubscribe : detach;
    return { id, definition, unsubscribe, detach, [Symbol.asyncDispose]: dispose };
  }

  async unsubscribe(subscriptionId: string): Promise<void> {
    this.#assertOpen();
    const attachment = this.#attachments.find(subscriptionId);
    if (attachment) await this.#attachments.unsubscribe(attachment);
    else await this.#state.deleteSubscription(subscriptionId);
  }

  async detach(subscriptionId: string): Promise<void> {
    this.#assertOpen();
    const attachments = this.#attachments.findAll(subscriptionId);
    await Promise.all(attachments.map((attachment) => this.#attachments.detach(attachment)));
    // Nobody of this program serves it; but it is a mistake to name one that does not exist.
    if (attachments.length === 0) await this.#state.subscription(subscriptionId);
  }

  async pull(subscriptionId: string, options: PullOptions = {}): Promise<readonly PulledDelivery<EventOf<Events>>[]> {
    this.#assertOpen();
    const pulled = await this.#pulls.pull(subscriptionId, options);
    return pulled as readonly PulledDelivery<EventOf<Events>>[];
  }

  async updateSubscription(subscriptionId: string, changes: JsonObject): Promise<SubscriptionDefinition> {
    const attachment = this.#attachments.find(subscriptionId);
    if (attachment) return this.#attachments.update(attachment, changes);
    return this.#state.updateSubscription(subscriptionId, changes);
  }

  pauseSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    return this.#known(subscriptionId, (id) => this.#state.pauseSubscription(id));
  }

  resumeSubscription(subscriptionId: string): Promise<SubscriptionDefinition> {
    return this.#known(subscriptionId, (id) => this.#state.resumeSubscription(id));
  }

  resetSubscription(subscriptionId: string, request: ResetRequestIn): Promise<SubscriptionReset> {
    return this.#state.resetSubscription(subscriptionId, request);
  }

  getSubscription(subscriptionId: string): Promise<SubscriptionDefinition & { readonly status: SubscriptionStatus }> {
    return this.#known(subscriptionId, (id) => this.#state.subscription(id));
  }

  listSubscriptions(): Promise<readonly SubscriptionDefinition[]> {
    return this.#state.subscriptions();
  }

  async createTopic(topic: string, schema?: JsonObject | StandardSchema, options?: TopicOptions): Promise<TopicInfo> {
    if (!isStandardSchema(schema)) return this.#state.createTopic(topic, schema, options);
    const created = await this.#state.createTopic(topic, undefined, options);
    this.#checks.bring(topic, schema);
    return created;
  }

  async addTopicSchema(topic: string, schema: JsonObject | StandardSchema, options?: TopicOptions): Promise<TopicInfo> {
    if (!isStandardSchema(schema)) return this.#state.addTopicSchema(topic, schema, options);
    const known = await this.#state.topic(topic);
    this.#checks.bring(topic, schema);
    return known;
  }

  getTopic(topic: string): Promise<TopicInfo> {
    return this.#state.topic(topic);
  }

  listTopics(): Promise<readonly TopicInfo[]> {
    return this.#state.topics();
  }

  removeTopic(topic: string): Promise<void> {
    return this.#state.removeTopic(topic);
  }

  registerContext(subscriber: string, context: RelevanceContextIn): Promise<SubscriberContext> {
    return this.#contexts.register(subscriber, context);
  }

  getContext(subscriber: string): Promise<SubscriberContext> {
    return this.#contexts.get(subscriber);
  }

  listContexts(): Promise<readonly SubscriberContext[]> {
    return this.#contexts.list();
  }

  removeContext(subscriber: string): Promise<void> {
    return this.#contexts.remove(subscriber);
  }

  async getEvent(eventId: string): Promise<EventOf<Events>> {
    return (await this.#state.event(eventId)) as EventOf<Events>;
  }

  async getEvents(query: unknown = {}, request: EventsRequest = {}): Promise<EventsPage<EventOf<Events>>> {
    return (await this.#state.events(query, request)) as EventsPage<EventOf<Events>>;
  }

  getEventGraph(eventId: string, request: EventGraphRequest = {}): Promise<EventGraph> {
    return this.#state.eventGraph(eventId, request);
  }

  project(_definition: unknown): Promise<never> {
    const words = 'A projection is kept in the store, which only a process with an event manager of its own has.';
    return Promise.reject(new EventManagerError('not_supported', words));
  }

  listProjections(): Promise<readonly ProjectionInfo[]> {
    return this.#projections.list();
  }

  getProjection(name: string): Promise<ProjectionInfo> {
    return this.#projections.get(name);
  }

  getProjectionState(name: string, key?: string): Promise<ProjectionState> {
    return this.#projections.state(name, key);
  }

  listProjectionKeys(name: string): Promise<readonly string[]> {
    return this.#projections.keys(name);
  }

  removeProjection(name: string): Promise<void> {
    return this.#projections.remove(name);
  }

  foldEvents<State, const Topic extends string = string>(
    request: FoldRequest<State, EventOn<Events, Topic>>,
  ): Promise<State> {
    const page = (query: object, of: EventsRequest) => this.#state.events(query, of);
    const preview = (asked: PreviewRequest) => this.#why.preview(asked);
    return foldRemoteEvents({ page, preview }, request as unknown as FoldRequest<State>);
  }

  async stream(request: StreamRequest = {}): Promise<StreamReader> {
    this.#assertOpen();
    return this.#streams.open(request);
  }

  listKeys(subscriptionId: string, request: KeysRequest = {}): Promise<readonly BlockedKey[]> {
    return this.#state.keys(subscriptionId, request);
  }

  releaseKey(subscriptionId: string, key: string): Promise<BlockedKey> {
    return this.#state.releaseKey(subscriptionId, key);
  }

  releaseKeys(subscriptionId: string): Promise<ReleasedKeys> {
    return this.#state.releaseKeys(subscriptionId);
  }

  listDeadLetters(subscriptionId?: string, request: DeadLettersRequest = {}): Promise<readonly DeadLetter[]> {
    return this.#state.deadLetters(subscriptionId, request);
  }

  getDeadLetter(id: string): Promise<DeadLetter> {
    return this.#state.deadLetter(id);
  }

  groupDeadLetters(request: { readonly subscriptionId?: string | undefined } = {}): Promise<LetterGroupsFound> {
    return this.#letters.groups(request.subscriptionId);
  }

  redrive(request: RedriveRequest & { readonly dryRun?: boolean | undefined }): Promise<Run & SelectedLetters> {
    return this.#letters.redrive(request);
  }

  discard(request: LettersRequest & { readonly dryRun?: boolean | undefined }): Promise<Run & SelectedLetters> {
    return this.#letters.discard(request);
  }

  listScheduled(): Promise<readonly ScheduledEvent[]> {
    return this.#scheduled.list();
  }

  getScheduled(eventId: string): Promise<ScheduledEventWithContent> {
    return this.#scheduled.get(eventId);
  }

  cancelScheduled(eventId: string): Promise<boolean> {
    return this.#scheduled.cancel(eventId);
  }

  why(subscriptionId: string, eventId: string): Promise<Why> {
    return this.#why.why(subscriptionId, eventId);
  }

  listDeliveries(eventId: string, request: DeliveriesRequest = {}): Promise<EventDeliveries> {
    return this.#why.deliveries(eventId, request);
  }

  previewFilter(request: PreviewRequest = {}): Promise<FilterPreview> {
    return this.#why.preview(request);
  }

  getHealth(): Promise<EngineHealth> {
    return this.#state.health();
  }

  getMetrics(): Promise<EventMetrics> {
    return this.#state.metrics();
  }

  async replay<const Request extends ReplayRequestIn>(request: Request): Promise<ReplayAnswer<Request>> {
    return (await this.#runs.replay(request ?? {})) as ReplayAnswer<Request>;
  }

  replayEvents<const Request extends ReplayRequestIn>(request: Request): Promise<ReplayAnswer<Request>> {
    return this.replay(request);
  }

  getRun(id: string): Promise<Run> {
    return this.#runs.get(id);
  }

  listRuns(request: RunsRequest = {}): Promise<readonly Run[]> {
    return this.#runs.list(request);
  }

  pauseRun(id: string): Promise<Run> {
    return this.#runs.control(id, 'pause');
  }

  resumeRun(id: string): Promise<Run> {
    return this.#runs.control(id, 'resume');
  }

  cancelRun(id: string): Promise<Run> {
    return this.#runs.control(id, 'cancel');
  }

  getRunReport(id: string): Promise<readonly RunFailure[]> {
    return this.#runs.report(id);
  }

  createRealtimeStream(request: RealtimeRequest): OpeningRealtimeStream {
    return createRealtimeStream(this.#realtime, request);
  }

  setupRealtimeStream(subscriberId: string, options?: unknown): OpeningRealtimeStream {
    return setupRealtimeStream(this.#realtime, subscriberId, options);
  }

  /**
   * Resolves when everything that this client published so far is acknowledged or has failed. What the service still owes to
   * subscriptions, also to those of this client, is not waited for: other programs keep it busy for ever.
   */
  settled(): Promise<void> {
    return this.#outbox.settled();
  }

  /**
   * Refuses new calls, waits until what was published is acknowledged or has failed, lets running handlers end, leaves the
   * subscriptions (named ones go on existing, unnamed ones end) and disconnects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#streams.close();
    await Promise.all([this.#outbox.settled(), this.#attachments.close()]);
    this.#connection.close();
    this.#http.close();
  }

  async #publishOne(event: unknown, index: number): Promise<PublishResult | EventManagerError> {
    try {
      return await this.#publisher.publish(event);
    } catch (error) {
      if (isEventManagerError(error)) return errorAt(error, index);
      throw error;
    }
  }

  /** An unnamed subscription keeps its id here, whatever the service calls it since the last connection. */
  async #known<Definition extends SubscriptionDefinition>(
    id: string,
    call: (serviceId: string) => Promise<Definition>,
  ): Promise<Definition> {
    const attachment = this.#attachments.find(id);
    const definition = await call(attachment?.socketId ?? id);
    return attachment ? { ...definition, id, options: attachment.definition.options } : definition;
  }

  #assertOpen(): void {
    if (this.#closing) throw new EventManagerError('closed', 'The event manager is closed.');
  }
}
