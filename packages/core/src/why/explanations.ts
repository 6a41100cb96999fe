/**
 * Answers why an event did or did not come to a subscription.
 *
 * What is durable any process can read; where an event stands in a queue, and what holds that queue, only the process knows
 * that serves the subscription. So the whole answer is made there: whoever is asked passes the question on, and answers by
 * the records alone where nobody serves it. Asking changes nothing but that what is settled is made durable first.
 */
import type { Contexts } from '../context/contexts.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Recorded } from '../contracts/event-store.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { parseEventId } from '../event/event-id.ts';
import type { Rejection, Rejections } from '../ingest/rejections.ts';
import type { Limits } from '../limits.ts';
import { textOf } from '../peers/letter-fields.ts';
import { ANONYMOUS, type Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { statePages } from '../state-pages.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { Subscriptions } from '../subscription/subscriptions.ts';
import { matchesPattern, parsePattern } from '../topic/pattern.ts';
import { rejectedFinding, scheduledFinding, unknownFinding } from './absent-event.ts';
import type { DeliveriesRequest, EventDeliveries, EventDeliveriesPage, EventDelivery } from './event-deliveries.ts';
import { type Evidence, endedBy, findEvidence, loadEvidence, redrivenEvent, stepsOf } from './evidence.ts';
import { explain } from './explain.ts';
import { calledBy } from './finding.ts';
import { holds } from './holds.ts';
import { keptStanding } from './kept-standing.ts';
import { liveStanding } from './live-standing.ts';
import { notWanted } from './not-wanted.ts';
import { owedFinding } from './owed-finding.ts';
import type { Standing } from './standing.ts';
import { WHY_REASONS, type Why, type WhyFinding } from './why.ts';

/** Subscriptions that are asked at once. */
const PAGE = 100;

export interface ExplanationsOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly subscriptions: Subscriptions;
  readonly contexts: Contexts;
  readonly schedule: Schedule;
  readonly rejections: Rejections;
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** For so long records of deliveries are kept, milliseconds. */
  readonly keptForMs: () => number;
}

export class Explanations {
  readonly #options: ExplanationsOptions;

  constructor(options: ExplanationsOptions) {
    this.#options = options;
    options.subscriptions.answerOwners('why', (id, request) => this.#whyHere(id, textOf(request, 'event')));
    options.subscriptions.answerOthers('rejection', async (request) => ({
      rejection: this.#rejectionHere(textOf(request, 'event')),
    }));
  }

  /** Throws `subscription_not_found`. An event that nobody knows is an answer. */
  async why(principal: Principal, subscriptionId: string, given: string): Promise<Why> {
    const { subscriptions, dispatch } = this.#options;
    await this.#assertKnown(principal, subscriptionId);
    const eventId = parseEventId(given) ?? given;
    if (dispatch.active.has(subscriptionId)) return this.#whyHere(subscriptionId, eventId);
    try {
      const theirs = await subscriptions.askOwnerOrFail(subscriptionId, 'why', { event: eventId });
      return (theirs as unknown as Why | undefined) ?? (await this.#whyHere(subscriptionId, eventId));
    } catch (error) {
      if (!isEventManagerError(error, 'unreachable')) throw error;
      return this.#whyHere(subscriptionId, eventId, String(error.details['servedBy']));
    }
  }

  /** Of all subscriptions, by their ids. Throws `event_not_found`, with words that say whether it is gone, scheduled or was refused. */
  async deliveries(principal: Principal, eventId: string, request: DeliveriesRequest = {}): Promise<EventDeliveries> {
    const deliveries: EventDelivery[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.deliveriesPage(principal, eventId, { ...request, after, limit: PAGE });
      deliveries.push(...page.deliveries);
      after = page.next;
      if (after === undefined) return { deliveries, notMatching: page.notMatching };
    }
  }

  /** The same, a page at a time. */
  async deliveriesPage(
    principal: Principal,
    given: string,
    { all = false, after = '', limit }: DeliveriesRequest & { after?: string | undefined; limit: number },
  ): Promise<EventDeliveriesPage> {
    const { limits } = this.#options;
    const eventId = parseEventId(given);
    const record = eventId === undefined ? undefined : await this.#recordOf(eventId);
    if (!record) throw await this.#notFound(eventId ?? given);
    const isMatching = ({ topic }: SubscriptionDefinition) => matchesPattern(parsePattern(topic, limits), record.topic);
    const every = await this.#everySubscription(principal);
    const matching = every.filter(isMatching);
    const asked = (all ? every : matching).filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
    const page = asked.slice(0, limit);
    const answers = await Promise.all(page.map((definition) => this.#deliveryOf(principal, definition, record.id)));
    return {
      deliveries: answers.filter((answer) => answer !== undefined),
      notMatching: every.length - matching.length,
      ...(asked.length > limit ? { next: page.at(-1)!.id } : {}),
    };
  }

  /** `undefined` for a subscription that was removed meanwhile. */
  async #deliveryOf(
    principal: Principal,
    { id, name }: SubscriptionDefinition,
    eventId: string,
  ): Promise<EventDelivery | undefined> {
    try {
      const { subscriptionId, status, reason, words, certain } = await this.why(principal, id, eventId);
      return { subscriptionId, ...(name === undefined ? {} : { name }), status, reason, words, certain };
    } catch (error) {
      if (!isEventManagerError(error, 'subscription_not_found')) throw error;
      return undefined;
    }
  }

  async #notFound(id: string): Promise<EventManagerError> {
    const { words, reason } = await this.#absence(id);
    return new EventManagerError('event_not_found', words, { id, reason });
  }

  /** `unheard` is the process that serves it and does not answer. */
  async #whyHere(subscriptionId: string, eventId: string, unheard?: string): Promise<Why> {
    const definition = await this.#definitionOf(subscriptionId);
    const record = parseEventId(eventId) === undefined ? undefined : await this.#recordOf(eventId);
    if (record) return this.#explain(definition, new KeptEvent(record), unheard);
    const evidence = await findEvidence(this.#options.adapter.state, subscriptionId, eventId);
    // A delivery that was taken up again has its event with it.
    const redriven = redrivenEvent(evidence);
    return redriven ? this.#explain(definition, redriven, unheard) : this.#absent(subscriptionId, eventId, evidence);
  }

  async #explain(definition: SubscriptionDefinition, kept: KeptEvent, unheard: string | undefined): Promise<Why> {
    const { adapter, contexts, limits, runtime, keptForMs, dispatch } = this.#options;
    const { clock } = runtime;
    const active = dispatch.active.get(definition.id);
    const standing = await this.#standingOf(definition, kept);
    const evidence = await loadEvidence(adapter.state, definition.id, kept);
    const isOver = standing.at === 'settled';
    return explain({
      ...{ definition, kept, standing, evidence, keptForMs: keptForMs() },
      notWanted: notWanted({
        definition,
        kept: redrivenEvent(evidence) ?? kept,
        known: contexts.cellOf(definition),
        limits,
        resets: evidence.resets,
      }),
      holds: isOver ? [] : holds({ definition, active, clock, isDebt: standing.at === 'owed', unheard }),
      unheard,
      owed: isOver ? undefined : await this.#owed(definition, standing),
      nowMs: clock.wallMs(),
    });
  }

  async #owed(definition: SubscriptionDefinition, standing: Exclude<Standing, { at: 'settled' }>): Promise<WhyFinding> {
    const { dispatch, runtime } = this.#options;
    const head = standing.at === 'key' ? standing.head : undefined;
    const place = head === undefined ? undefined : { partition: dispatch.partition, position: head };
    const [first] = place ? await this.#options.adapter.store.get([place]) : [];
    const instance = dispatch.log.instance;
    const called = calledBy(definition);
    return owedFinding({ called, standing, headId: first?.id, instance, nowMs: runtime.clock.wallMs() });
  }

  async #standingOf(definition: SubscriptionDefinition, kept: KeptEvent): Promise<Standing> {
    const { adapter, dispatch, runtime } = this.#options;
    const look = () => {
      const active = dispatch.active.get(definition.id);
      return active && liveStanding(active, kept, dispatch.route.head, runtime.clock);
    };
    const standing = look();
    if (!standing) return keptStanding(adapter.state, definition.id, dispatch.partition, kept);
    if (standing.at === 'settled') await this.#settledDurably(definition.id);
    return standing;
  }

  /** What tells how it was settled is on its way into the store. */
  async #settledDurably(id: string): Promise<void> {
    const { active, checkpoint } = this.#options.dispatch;
    const subscription = active.get(id);
    if (!subscription || subscription.queue.isCommitted) return;
    try {
      await checkpoint.durable(subscription);
    } catch (error) {
      // Then the answer is that of the records.
      if (!isEventManagerError(error)) throw error;
    }
  }

  async #definitionOf(id: string): Promise<SubscriptionDefinition> {
    const { adapter, dispatch, subscriptions } = this.#options;
    const active = dispatch.active.get(id);
    if (active) return active.definition;
    const [kept] = await adapter.state.get('subscription', [id]);
    return (kept?.value as unknown as SubscriptionDefinition | undefined) ?? subscriptions.get(ANONYMOUS, id);
  }

  /** Another process may have created it a moment ago. Throws `subscription_not_found`. */
  async #assertKnown(principal: Principal, id: string): Promise<void> {
    const { adapter, subscriptions } = this.#options;
    const [kept] = adapter.supports.shared ? await adapter.state.get('subscription', [id]) : [];
    if (!kept) subscriptions.get(principal, id);
  }

  async #everySubscription(principal: Principal): Promise<readonly SubscriptionDefinition[]> {
    const { adapter, subscriptions } = this.#options;
    const known = new Map(subscriptions.list(principal).map((definition) => [definition.id, definition]));
    if (!adapter.supports.shared) return [...known.values()];
    for await (const page of statePages(adapter.state, 'subscription')) {
      for (const { key, value } of page) known.set(key, value as unknown as SubscriptionDefinition);
    }
    return [...known.values()];
  }

  async #recordOf(id: string): Promise<Recorded | undefined> {
    const [record] = await this.#options.adapter.store.get([id]);
    return record;
  }

  async #absent(subscriptionId: string, eventId: string, evidence: Evidence): Promise<Why> {
    const end = endedBy(evidence);
    const reason = end ?? (await this.#absence(eventId));
    const status = WHY_REASONS[reason.reason];
    const certain = end !== undefined || status === 'not-published';
    const note = end && 'The event itself is not kept any more.';
    const noted = note === undefined ? {} : { note };
    return { subscriptionId, eventId, status, ...reason, certain, ...noted, also: [], timeline: stepsOf(evidence) };
  }

  #rejectionHere(id: string): Rejection | undefined {
    return this.#options.rejections.recent.find(({ eventId }) => eventId === id);
  }

  /** Only the process that refused it remembers that. */
  async #rejectionElsewhere(id: string): Promise<Rejection | undefined> {
    const answers = await this.#options.subscriptions.askOthers('rejection', { event: id });
    return answers.find((answer) => answer['rejection'] !== undefined)?.['rejection'] as Rejection | undefined;
  }

  async #absence(id: string): Promise<WhyFinding> {
    const { schedule, adapter, dispatch } = this.#options;
    try {
      return scheduledFinding(await schedule.get(ANONYMOUS, id));
    } catch (error) {
      if (!isEventManagerError(error, 'scheduled_not_found')) throw error;
    }
    const rejection = this.#rejectionHere(id) ?? (await this.#rejectionElsewhere(id));
    if (rejection) return rejectedFinding(rejection);
    return unknownFinding(id, adapter, dispatch.partition);
  }
}
