import type {
  BlockedKey,
  DeadLetter,
  DeadLettersRequest,
  EngineHealth,
  Event,
  EventGraph,
  EventGraphRequest,
  EventMetrics,
  EventsRequest,
  KeysRequest,
  ReleasedKeys,
  ResetRequestIn,
  SubscriptionDefinition,
  SubscriptionReset,
  SubscriptionStatus,
} from '@event-manager/core';
import {
  assertId,
  type EventsPage,
  eventsPage,
  type JsonObject,
  reviveEvent,
  type TopicInfo,
  type TopicOptions,
} from '@event-manager/core/portable';
import { type DescribedSubscription, definitionOf } from './described-subscription.ts';
import type { HttpCaller } from './http-caller.ts';
import { everyPage, type Page, pageOf } from './pages.ts';
import { pathSegment } from './path-segment.ts';
import { queryParameters } from './query-parameters.ts';

/** Pages of the sizes that the service allows. */
const SUBSCRIPTIONS_PAGE = '1000';
const LETTERS_PAGE = '100';

/** What is asked and changed over HTTP, one request at a time: everything but publishing, handlers and streams. */
export class RemoteState {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async event(id: string): Promise<Event> {
    return reviveEvent((await this.#get(`/events/${pathSegment(id)}`)) as object);
  }

  async events(query: unknown, { limit, cursor, direction }: EventsRequest): Promise<EventsPage> {
    const parameters = queryParameters(query);
    if (limit !== undefined) parameters.set('limit', String(limit));
    if (cursor !== undefined) parameters.set('cursor', cursor);
    if (direction !== undefined) parameters.set('direction', direction);
    const page = pageOf(await this.#get('/events', parameters)) as Page & { complete: boolean };
    const { data, nextCursor, complete } = page;
    const events = data.map((event) => reviveEvent(event as object));
    return eventsPage(events, { complete, nextCursor: nextCursor ?? undefined });
  }

  async eventGraph(id: string, { depth, eventsMax }: EventGraphRequest): Promise<EventGraph> {
    const path = `/events/${pathSegment(id)}/graph`;
    return (await this.#get(path, queryParameters({ depth, eventsMax }))) as EventGraph;
  }

  async subscription(id: string): Promise<SubscriptionDefinition & { readonly status: SubscriptionStatus }> {
    const described = (await this.#get(subscriptionPath(id))) as DescribedSubscription;
    return { ...definitionOf(described), status: described.status };
  }

  async subscriptions(): Promise<readonly SubscriptionDefinition[]> {
    const described = await this.#pages('/subscriptions', { limit: SUBSCRIPTIONS_PAGE });
    return (described as DescribedSubscription[]).map(definitionOf);
  }

  /** A webhook. Without a name a repetition would make a second one. */
  async createSubscription(request: JsonObject): Promise<SubscriptionDefinition> {
    const isRepeatable = request['name'] !== undefined;
    return this.#change('POST', '/subscriptions', isRepeatable, request);
  }

  updateSubscription(id: string, changes: JsonObject): Promise<SubscriptionDefinition> {
    return this.#change('PATCH', subscriptionPath(id), true, changes);
  }

  pauseSubscription(id: string): Promise<SubscriptionDefinition> {
    return this.#change('POST', `${subscriptionPath(id)}/pause`, true);
  }

  resumeSubscription(id: string): Promise<SubscriptionDefinition> {
    return this.#change('POST', `${subscriptionPath(id)}/resume`, true);
  }

  async resetSubscription(id: string, request: ResetRequestIn): Promise<SubscriptionReset> {
    const path = `${subscriptionPath(id)}/reset`;
    const body = JSON.stringify(request);
    return (await this.#http.call({ method: 'POST', path, isRepeatable: false, body })) as SubscriptionReset;
  }

  async deleteSubscription(id: string): Promise<void> {
    await this.#http.call({ method: 'DELETE', path: subscriptionPath(id), isRepeatable: true });
  }

  async keys(id: string, { state }: KeysRequest): Promise<readonly BlockedKey[]> {
    const query = { limit: SUBSCRIPTIONS_PAGE, ...(state === undefined ? {} : { state }) };
    return (await this.#pages(`${subscriptionPath(id)}/keys`, query)) as BlockedKey[];
  }

  async releaseKey(id: string, key: string): Promise<BlockedKey> {
    const path = `${subscriptionPath(id)}/keys/release`;
    const body = JSON.stringify({ key });
    return (await this.#http.call({ method: 'POST', path, isRepeatable: true, body })) as BlockedKey;
  }

  /** Repeated, it says how many it found then, which may be fewer. */
  async releaseKeys(id: string): Promise<ReleasedKeys> {
    const path = `${subscriptionPath(id)}/keys/release-all`;
    return (await this.#http.call({ method: 'POST', path, isRepeatable: true })) as ReleasedKeys;
  }

  async createTopic(topic: string, schema?: JsonObject, options?: TopicOptions): Promise<TopicInfo> {
    const body = JSON.stringify({ ...options, topic, schema });
    // The same declaration again changes nothing.
    return (await this.#http.call({ method: 'POST', path: '/topics', isRepeatable: true, body })) as TopicInfo;
  }

  async addTopicSchema(topic: string, schema: JsonObject, options?: TopicOptions): Promise<TopicInfo> {
    const body = JSON.stringify({ ...options, schema });
    const path = `${topicPath(topic)}/schemas`;
    return (await this.#http.call({ method: 'POST', path, isRepeatable: true, body })) as TopicInfo;
  }

  async topic(topic: string): Promise<TopicInfo> {
    return (await this.#get(topicPath(topic))) as TopicInfo;
  }

  async topics(): Promise<readonly TopicInfo[]> {
    return (await this.#pages('/topics', {})) as TopicInfo[];
  }

  async removeTopic(topic: string): Promise<void> {
    await this.#http.call({ method: 'DELETE', path: topicPath(topic), isRepeatable: true });
  }

  async metrics(): Promise<EventMetrics> {
    return (await this.#get('/metrics')) as EventMetrics;
  }

  async deadLetters(subscriptionId: string | undefined, { state }: DeadLettersRequest): Promise<readonly DeadLetter[]> {
    if (subscriptionId !== undefined) assertId(subscriptionId);
    const of = subscriptionId === undefined ? {} : { subscriptionId };
    const query = { limit: LETTERS_PAGE, ...of, ...(state === undefined ? {} : { state }) };
    return (await this.#pages('/dead-letters', query)) as DeadLetter[];
  }

  async deadLetter(id: string): Promise<DeadLetter> {
    return (await this.#get(`/dead-letters/${pathSegment(id)}`)) as DeadLetter;
  }

  async health(): Promise<EngineHealth> {
    // A service whose store failed says so with this status, and that is the answer.
    const request = { method: 'GET', path: '/health', isRepeatable: true, alsoFine: 503 } as const;
    return (await this.#http.call(request)) as EngineHealth;
  }

  #get(path: string, query?: URLSearchParams): Promise<unknown> {
    return this.#http.call({ method: 'GET', path, isRepeatable: true, ...(query === undefined ? {} : { query }) });
  }

  #pages(path: string, query: Readonly<Record<string, string>>): Promise<unknown[]> {
    return everyPage(this.#http, path, query);
  }

  async #change(
    method: 'POST' | 'PATCH',
    path: string,
    isRepeatable: boolean,
    body?: JsonObject,
  ): Promise<SubscriptionDefinition> {
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    return definitionOf((await this.#http.call({ method, path, isRepeatable, ...given })) as DescribedSubscription);
  }
}

function subscriptionPath(id: string): string {
  return `/subscriptions/${pathSegment(id)}`;
}

function topicPath(topic: string): string {
  return `/topics/${pathSegment(topic)}`;
}
