import type { Contexts } from '../../context/contexts.ts';
import type { EventBusAdapter } from '../../contracts/adapter.ts';
import type { Position } from '../../contracts/event-store.ts';
import type { KeptEvent } from '../../dispatch/kept-event.ts';
import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { Event } from '../../event/event.ts';
import { createEventIdSource } from '../../event/event-id.ts';
import { compileFilter } from '../../filter/filter.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import type { Principal } from '../../principal.ts';
import { compileQuery } from '../../query/matches-query.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { startPosition } from '../../subscription/start-position.ts';
import type { SubscriptionDefinition } from '../../subscription/subscription.ts';
import { parsePattern } from '../../topic/pattern.ts';
import type { PartAssignment, PartDriver, PreparedRun, RunRoom } from '../part-driver.ts';
import type { RunRecord } from '../run.ts';
import { type Counted, type CountRange, countEvents } from './count-events.ts';
import { type LeftReplay, ReplayDriver } from './replay-driver.ts';
import { endsBefore, type LogPlace, parseReplay, type ReplayRequest, requestJson } from './replay-request.ts';
import { ReplayTargets, type ReplayTargetsOptions } from './replay-target.ts';
import { ReplayTurns } from './replay-turns.ts';

const SAMPLE_MAX = 10;

/** What a replay would do. */
export interface ReplayPreview {
  readonly dryRun: true;
  /** Deliveries that it would make, of all subscriptions together. Events that have expired are none. */
  readonly count: number;
  /** False when the range holds more events than were looked at: 250,000, or as many as five seconds were enough for. */
  readonly complete: boolean;
  readonly subscriptions: readonly { readonly id: string; readonly name?: string; readonly count: number }[];
  /** The first of the events. */
  readonly sample: readonly Event[];
}

export interface ReplayRoomOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly contexts: Contexts;
  readonly webhookSink: ReplayTargetsOptions['webhookSink'];
  readonly onFailure: (error: unknown) => void;
  readonly dispatch: () => PartitionDispatch;
  /** All that are known, those of this process among them. */
  readonly subscriptions: () => readonly SubscriptionDefinition[];
}

/** Replays: the events of a range of the log go once more to the subscriptions that match them, marked. */
export class ReplayRoom implements RunRoom {
  /** Deliveries of replays that succeeded here. */
  replayed = 0;
  readonly #options: ReplayRoomOptions;
  readonly #targets: ReplayTargets;
  readonly #turns: ReplayTurns;
  /** By the run, and then by the subscription. */
  readonly #left = new Map<string, Map<string, LeftReplay>>();

  constructor(options: ReplayRoomOptions) {
    const { adapter, runtime, limits, webhookSink, onFailure } = options;
    const isShared = adapter.supports.shared;
    this.#options = options;
    const nextId = createEventIdSource(runtime);
    this.#turns = new ReplayTurns(runtime);
    this.#targets = new ReplayTargets({ isShared, webhookSink, limits, nextId, onFailure });
  }

  async prepare(_principal: Principal, input: unknown): Promise<PreparedRun> {
    const request = await this.#checked(input);
    const definitions = this.#definitionsOf(request);
    const range = await this.#rangeOf(request);
    const counted = definitions.map((definition) => this.#counted(definition, false));
    const isComplete = await this.#count(range, counted);
    // Where all were looked at, whoever is offered nothing has nothing to do; where nobody is, the run is over at once.
    const meant = counted.filter(({ offered }) => offered > 0 || !isComplete || request.subscriptions);
    const { from, until } = range;
    const target = request.target && this.#targets.keep(request.target);
    return {
      request: requestJson(request, target),
      ...(request.note === undefined ? {} : { note: request.note }),
      parts: meant.map(({ id, offered }) => ({
        subscriptionId: id,
        counts: { ...(isComplete ? { total: offered } : {}), done: 0, failed: 0, skipped: 0 },
        at: { from, until },
      })),
    };
  }

  drive(assignment: PartAssignment): PartDriver {
    const { runtime, adapter } = this.#options;
    const { store, state } = adapter;
    const { run, subscription } = assignment;
    const leftOfRun = this.#left.get(run.id);
    const left = leftOfRun?.get(subscription.id);
    leftOfRun?.delete(subscription.id);
    return new ReplayDriver({
      left,
      onLeft: (of) => {
        this.#left.set(run.id, (this.#left.get(run.id) ?? new Map()).set(subscription.id, of));
      },
      ...{ assignment, dispatch: this.#options.dispatch(), store, state, runtime },
      ...{ targets: this.#targets, turns: this.#turns },
      onReplayed: (count) => {
        this.replayed += count;
      },
    });
  }

  over({ id, request }: Pick<RunRecord, 'id' | 'request'>): void {
    this.#left.delete(id);
    this.#targets.forget(request['target'] as JsonObject | undefined);
  }

  /** Says what a replay would do, and does nothing. Throws what `prepare` throws. */
  async preview(_principal: Principal, input: unknown): Promise<ReplayPreview> {
    const request = await this.#checked(input);
    const definitions = this.#definitionsOf(request);
    const counted = definitions.map((definition) => this.#counted(definition, true));
    const sample: Event[] = [];
    const range = await this.#rangeOf(request);
    const complete = await this.#count(range, counted, (kept) => {
      if (sample.length < SAMPLE_MAX) sample.push(kept.event);
    });
    const subscriptions = counted.map(({ id, wanted: count }, at) => {
      const { name } = definitions[at]!;
      return { id, ...(name === undefined ? {} : { name }), count };
    });
    return {
      dryRun: true,
      count: counted.reduce((sum, { wanted }) => sum + wanted, 0),
      ...{ complete, subscriptions, sample },
    };
  }

  /** True for a request that only wants to know. Throws `invalid_run`. */
  isDryRun(input: unknown): boolean {
    return this.#read(input).dryRun;
  }

  /** The address that a request names as its target. */
  targetOf(input: unknown): string | undefined {
    return this.#read(input).target?.endpoint;
  }

  async #checked(input: unknown): Promise<ReplayRequest> {
    const request = this.#read(input);
    if (request.target) await this.#targets.check(request.target);
    return request;
  }

  #read(input: unknown): ReplayRequest {
    return parseReplay(input === undefined ? {} : input, this.#options.limits);
  }

  #definitionsOf({ subscriptions: asked }: ReplayRequest): readonly SubscriptionDefinition[] {
    const all = this.#options.subscriptions();
    if (!asked) return all;
    const isOf = (of: string) => (known: SubscriptionDefinition) =>
      known.id === of || known.name === of || known.subscriber === of;
    const missing = asked.find((of) => !all.some(isOf(of)));
    if (missing !== undefined) {
      const words = 'No subscription has this id or name, and no subscriber owns one.';
      throw new EventManagerError('subscription_not_found', words, { id: missing });
    }
    return all.filter((known) => asked.some((of) => isOf(of)(known)));
  }

  async #rangeOf({ from, to, query }: ReplayRequest): Promise<CountRange> {
    const after = await this.#position(from);
    // A cursor names the last event that was seen, a time the first one that is not meant any more: both end before what follows.
    const until = await this.#position(to);
    // What lies before the oldest event that is kept is empty, whichever way round.
    if (until < after && after > (await this.#position('earliest'))) throw endsBefore('/to');
    return { from: after + 1, until: Math.max(after, until), takes: compileQuery(query) };
  }

  /** The position behind which the place lies. */
  #position(place: LogPlace): Promise<Position> {
    const { partition, route } = this.#options.dispatch();
    const { store } = this.#options.adapter;
    return startPosition(place, { store, partition, routedHead: route.head });
  }

  async #count(range: CountRange, counted: readonly Counted[], onWanted?: (kept: KeptEvent) => void): Promise<boolean> {
    const { partition } = this.#options.dispatch();
    const { store } = this.#options.adapter;
    if (counted.length === 0) return true;
    const what = { counted, ...(onWanted ? { onWanted } : {}) };
    return countEvents({ store, partition, runtime: this.#options.runtime }, range, what);
  }

  #counted(definition: SubscriptionDefinition, judges: boolean): Counted {
    const { limits, contexts } = this.#options;
    const { filter, options, id } = definition;
    const hasFilter = judges && filter !== undefined && Object.keys(filter).length > 0;
    const matches = hasFilter ? compileFilter(filter, contexts.cellOf(definition)) : undefined;
    return {
      id,
      pattern: parsePattern(definition.topic, limits),
      wants: (lane) => options.priority === undefined || lane <= options.priority,
      matches,
      ...{ offered: 0, wanted: 0 },
    };
  }
}
