/**
 * How subscriptions come into the catalog and leave it, with the records that belong to them.
 *
 * A durable one is created together with its progress, so none exists without a place to begin. It is removed together with
 * its progress; its debts follow in a commit of their own, because they may be many. What it had to do of a run ends as `gone`
 * with its counts, which go with the run. A process that dies in between leaves debts that belong to nobody, and so does one that still served what another one removed. Whoever creates a subscription of
 * the same name removes them first; those of one without a name, whose id never comes again, go at the next start.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import { highestRound } from '../dispatch/highest-round.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { resetAuditKey, roundBehind, stepsIn, stepsWith, supersedingStep } from '../dispatch/superseded.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import { goneChange, RunRecords, replaysPrefix } from '../runs/run-records.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { statePages } from '../state-pages.ts';
import { needsAttaching } from './attached.ts';
import type { Catalog } from './catalog.ts';
import { startPosition } from './start-position.ts';
import type { SubscriptionDefinition, SubscriptionRequest } from './subscription.ts';

/** Subscriptions whose records are looked at in one turn of the event loop. */
const LOOKS = 100;
/** Where the text of a UUID has its version, and that of one that is drawn; the id of a name follows from it. */
const VERSION_AT = 14;
const DRAWN = '7';

export interface SubscriptionRecordsOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly limits: Limits;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
}

/** A subscription that came into the catalog. */
export interface Entered {
  readonly definition: SubscriptionDefinition;
  /** Everything behind it is owed. */
  readonly floor: Position;
}

/** Durable are those with a name, an endpoint or a fallback: they outlive the process. */
export function isDurable(request: SubscriptionRequest): boolean {
  return request.name !== undefined || !needsAttaching(request);
}

/** What an earlier subscription of the same name left. */
interface Before {
  /** The round in which deliveries begin. */
  readonly firstRound: number;
  readonly changes: readonly StateChange[];
}

const NOBODY_BEFORE: Before = { firstRound: 0, changes: [] };

export class SubscriptionRecords {
  readonly #options: SubscriptionRecordsOptions;
  /** On their way into the catalog, and their characters. */
  #creating = 0;
  #creatingCharacters = 0;

  constructor(options: SubscriptionRecordsOptions) {
    this.#options = options;
  }

  /** Puts a new subscription into the catalog, which then says where it begins. Throws `too_many_subscriptions`. */
  async enter(asked: SubscriptionDefinition): Promise<Entered> {
    const { catalog, dispatch, adapter, limits } = this.#options;
    const { id, options } = asked;
    const maximum = limits.subscriptionsMax;
    if (catalog.size + this.#creating >= maximum) {
      const words = `There are ${maximum} subscriptions already.`;
      throw new EventManagerError('too_many_subscriptions', words, { limit: 'subscriptionsMax', maximum });
    }
    this.assertRoom(asked);
    const characters = catalog.growthBy(asked);
    this.#creating++;
    this.#creatingCharacters += characters;
    try {
      const { partition, route } = dispatch;
      const { store } = adapter;
      const floor = await startPosition(options.startFrom, { store, partition, routedHead: route.head });
      const definition: SubscriptionDefinition = { ...asked, startsBehind: { partition, position: floor } };
      if (!isDurable(definition)) {
        catalog.addEphemeral(definition);
        return { definition, floor };
      }
      const before = options.startFrom === 'latest' ? NOBODY_BEFORE : await this.#madeAgain(definition, floor);
      const { firstRound } = before;
      const lane = [floor, floor, []];
      const value = { lanes: [lane, lane, lane, lane], ...(firstRound === 0 ? {} : { firstRound }) };
      const { progress: key } = queueKeys(id, partition);
      const progress: StateChange = { kind: 'progress', key, value: value as unknown as JsonObject };
      await catalog.create(definition, [progress, ...before.changes, ...(await this.#owedRemovals(id))]);
      return { definition, floor };
    } finally {
      this.#creating--;
      this.#creatingCharacters -= characters;
    }
  }

  /**
   * One of the same name may have left dead letters of what this one is owed: what dies again has a letter of its own, and those
   * that are open are superseded, as by a reset.
   */
  async #madeAgain({ id, createdAtMs }: SubscriptionDefinition, floor: Position): Promise<Before> {
    const { adapter, dispatch, runtime } = this.#options;
    const { state, store } = adapter;
    const { partition } = dispatch;
    const kept = await highestRound({ state, timers: runtime.timers }, id, partition, { behind: floor });
    if (kept < 0) return NOBODY_BEFORE;
    const key = resetAuditKey(id);
    const [audit] = await state.get('audit', [key]);
    const steps = stepsIn(audit?.value);
    const firstRound = Math.max(kept + 1, roundBehind(steps, floor));
    const step = await supersedingStep(store, partition, { position: floor, below: firstRound, atMs: createdAtMs });
    const value = { ...(audit?.value as JsonObject | undefined), superseding: stepsWith(steps, step) };
    return { firstRound, changes: [{ kind: 'audit', key, value: value as unknown as JsonObject }] };
  }

  /** Throws `too_many_subscriptions` for a definition, new or changed, that all of them together have no room for. */
  assertRoom(definition: SubscriptionDefinition): void {
    const { catalog, limits } = this.#options;
    const maximum = limits.subscriptionsCharactersMax;
    const growth = catalog.growthBy(definition);
    if (growth <= 0 || catalog.characters + this.#creatingCharacters + growth <= maximum) return;
    const words = 'The definitions of subscriptions take as much memory as they may.';
    throw new EventManagerError('too_many_subscriptions', words, { limit: 'subscriptionsCharactersMax', maximum });
  }

  /** Deletes a durable subscription and its progress, and ends its parts of runs by `endings`. */
  async remove(id: string, endings: readonly StateChange[]): Promise<void> {
    const { catalog, dispatch } = this.#options;
    const { progress } = queueKeys(id, dispatch.partition);
    await catalog.remove(id, [
      { kind: 'progress', key: progress },
      { kind: 'debt-removal', key: progress },
      ...endings,
    ]);
  }

  /** Deletes what a removed subscription was owed. Whoever made it again meanwhile has done so, and what there is now is not ours. */
  async forgetDebts(id: string): Promise<void> {
    const removals = await this.#owedRemovals(id);
    if (removals.length === 0) return;
    try {
      await this.#options.adapter.state.commit([...removals, { kind: 'subscription', key: id, ifRevision: 0 }]);
    } catch (error) {
      if (!isEventManagerError(error, 'revision_conflict')) throw error;
    }
  }

  /** Deletes what is left of subscriptions without a name that were removed. */
  async forgetLeftovers(): Promise<void> {
    const { state } = this.#options.adapter;
    for (const kind of ['progress', 'owed', 'blocked'] as const) {
      let after = '';
      for (let looked = 1; ; looked++) {
        const [entry] = (await state.load(kind, { after, limit: 1 })).entries;
        if (!entry) break;
        const id = entry.key.slice(0, entry.key.indexOf('/'));
        if (isRandom(id) && (await this.#isGone(id))) await this.#forget(id);
        after = `${id}/\uffff`;
        if (looked % LOOKS === 0) await new Promise<void>((resolve) => this.#options.runtime.timers.soon(resolve));
      }
    }
  }

  async #isGone(id: string): Promise<boolean> {
    const { adapter, catalog } = this.#options;
    if (catalog.get(id)) return false;
    const [definition] = await adapter.state.get('subscription', [id]);
    return definition === undefined;
  }

  async #forget(id: string): Promise<void> {
    const { adapter, dispatch } = this.#options;
    const { progress } = queueKeys(id, dispatch.partition);
    const removals = await this.#owedRemovals(id);
    await adapter.state.commit([{ kind: 'progress', key: progress }, ...removals]);
  }

  async #owedRemovals(id: string): Promise<readonly StateChange[]> {
    const { adapter, dispatch, runtime } = this.#options;
    const { owedPrefix: prefix } = queueKeys(id, dispatch.partition);
    const removals: StateChange[] = [];
    for (const kind of ['owed', 'blocked', 'attempt'] as const) {
      for await (const page of statePages(adapter.state, kind, prefix)) {
        for (const { key } of page) removals.push({ kind, key });
      }
    }
    for (const kind of ['progress', 'owed', 'blocked'] as const) {
      for await (const page of statePages(adapter.state, kind, replaysPrefix(id))) {
        for (const { key } of page) removals.push({ kind, key });
      }
    }
    // Those of a run that began while the subscription was removed, or that another process had in hand.
    const endedAtMs = runtime.clock.wallMs();
    const left = await new RunRecords(adapter.state).openParts(id);
    for (const [runId, part] of left) removals.push(goneChange(runId, part, endedAtMs));
    return removals;
  }
}

function isRandom(id: string): boolean {
  return id[VERSION_AT] === DRAWN;
}
