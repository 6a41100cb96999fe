/**
 * A subscription goes on from another place of the log, without being made anew.
 *
 * What it owed is over with that: debts that wait for a retry and keys that wait are dropped and counted, in the commit that
 * moves its progress. What lies behind the new place it owes from then on, at attempt 1, whether or not it had it before. Its
 * dead letters stay, and one that was redriven is open again where the debt that it became is dropped: the log may not have its
 * event any more. So it stands as a new one with `startFrom` would, and a crash leaves it either where it was or where it shall be.
 *
 * The process that serves it does it, while nothing of it is under way; asked at another one, that is told by letter. One that
 * nobody serves is reset under its lease by whoever was asked.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Position } from '../contracts/event-store.ts';
import type { Lease, StateChange, StateEntry, StateStore } from '../contracts/state-store.ts';
import type { DeadLetter } from '../dispatch/dead-letter.ts';
import { highestRound } from '../dispatch/highest-round.ts';
import { resourceOf } from '../dispatch/leases.ts';
import { firstRoundIn, resetsIn } from '../dispatch/life-of.ts';
import { afterRemoval } from '../dispatch/pace/rate-limit.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import type { Redriven } from '../dispatch/redriven.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { resetAuditKey, type SupersedingStep, stepsIn, stepsWith, supersedingStep } from '../dispatch/superseded.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { fieldTable, readFields } from '../json/read-fields.ts';
import type { JsonObject } from '../json.ts';
import { textOf } from '../peers/letter-fields.ts';
import type { Principal } from '../principal.ts';
import { encodeCursor } from '../query/cursor.ts';
import { readTrimMark, TrimHere, trimMarkChange, trimMarkKey } from '../retention/trim-mark.ts';
import type { LogPlaceIn } from '../runs/replay/replay-options.ts';
import { type LogPlace, readLogPlace } from '../runs/replay/replay-request.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { callingAttempt } from '../sink/handler-calls.ts';
import { statePages } from '../state-pages.ts';
import type { Catalog } from './catalog.ts';
import type { Duty } from './duty.ts';
import { notServedHere } from './elsewhere/ask-owner.ts';
import type { Elsewhere } from './elsewhere/elsewhere.ts';
import { startPosition } from './start-position.ts';

const FIELDS = fieldTable(['to', 'note'], { from: 'to', startFrom: 'to', cursor: 'to', time: 'to', timestamp: 'to' });
const NOTE_CHARACTERS_MAX = 1_024;
const LEASE_TTL_MS = 10_000;
const ANSWER_WITHIN_MS = 15_000;
/** Kept of each subscription. */
const AUDITED_MAX = 20;
const COMMIT_TRIES_MAX = 10;

/** What `resetSubscription` takes. */
export interface ResetRequestIn {
  /** `earliest`, `latest`, a time or a cursor: it goes on behind that. */
  readonly to: LogPlaceIn;
  /** Why, in words that are kept. */
  readonly note?: string | undefined;
}

/** What a reset did. */
export interface SubscriptionReset {
  /** Of the subscription. */
  readonly id: string;
  /** Everything at or before this cursor was settled. */
  readonly from: string;
  /** It goes on behind this cursor. */
  readonly to: string;
  /** Deliveries that waited for a retry, and keys that waited, which it does not owe any more. */
  readonly dropped: number;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** Who asked for it: the id of a principal. */
  readonly by: string;
  readonly note?: string;
}

/** The same as it is kept. */
export interface KeptReset extends SubscriptionReset {
  /** The round in which deliveries begin since; absent in resets by earlier versions. */
  readonly firstRound?: number;
}

export interface ResetsOptions {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly catalog: Catalog;
  readonly duty: Duty;
  readonly runtime: Runtime;
  readonly owner: string;
  readonly elsewhere: () => Elsewhere | undefined;
  readonly onReset: (reset: SubscriptionReset) => void;
}

interface ResetRequest {
  readonly id: string;
  readonly to: LogPlace;
  readonly by: string;
  readonly note?: string | undefined;
}

export class Resets {
  /** What keeps resets and the removal of events apart in this process. */
  readonly trimHere = new TrimHere();
  readonly #options: ResetsOptions;

  constructor(options: ResetsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it is durable. Throws `subscription_not_found`, `invalid_run`, `invalid_cursor`, `not_supported` for one that
   * ends with its process and inside its own handler, and `unreachable` when the process that serves it does not answer.
   */
  async reset({ id: by }: Principal, id: string, input: unknown): Promise<SubscriptionReset> {
    const { catalog, dispatch, adapter } = this.#options;
    catalog.known(id);
    const request = { ...readReset(input), id, by };
    if (!catalog.isDurable(id)) {
      const words = 'A subscription that ends with its process is not reset: subscribe anew, with startFrom.';
      throw new EventManagerError('not_supported', words, { id });
    }
    const here = !adapter.supports.shared || dispatch.active.has(id) ? await this.#here(request) : undefined;
    if (here) return here;
    const asked = JSON.parse(JSON.stringify(request)) as JsonObject;
    const reply = await this.#options.elsewhere()?.owner.ask(id, 'reset', asked, { limitMs: ANSWER_WITHIN_MS });
    return reply ? (reply.answer as unknown as SubscriptionReset) : this.#underLease(request);
  }

  /** Another process was asked, and this one serves it. */
  async answer(request: JsonObject): Promise<SubscriptionReset> {
    const id = textOf(request, 'id');
    const isHere = this.#options.dispatch.active.has(id);
    const reset = isHere ? await this.#here(request as unknown as ResetRequest) : undefined;
    if (!reset) throw notServedHere(id);
    return reset;
  }

  /** `undefined` when another process serves it by the time its turn comes: without the lease it is not ours to move. */
  async #here(request: ResetRequest): Promise<SubscriptionReset | undefined> {
    const { id } = request;
    const { adapter, catalog, dispatch, duty } = this.#options;
    const caller = callingAttempt();
    if ([...(dispatch.active.get(id)?.underWay() ?? [])].some((attempt) => attempt === caller)) {
      throw new EventManagerError('not_supported', 'A handler cannot reset the subscription that it serves.', { id });
    }
    return duty.exclusive(id, async () => {
      const definition = catalog.known(id);
      let reset: SubscriptionReset | undefined;
      const lease = dispatch.active.get(id)?.lease;
      if (adapter.supports.shared && !lease) return undefined;
      await duty.replace(definition, async () => {
        reset = await this.#commit(request, lease);
      });
      this.#options.onReset(reset!);
      return reset!;
    });
  }

  async #underLease(request: ResetRequest): Promise<SubscriptionReset> {
    const { adapter, owner } = this.#options;
    const { state } = adapter;
    const resource = resourceOf(request.id);
    const [lease] = await state.acquire([resource], { owner: `${owner}/reset`, ttlMs: LEASE_TTL_MS });
    if (!lease) throw notServedHere(request.id);
    const letGo = this.#keep(lease);
    try {
      const reset = await this.#commit(request, lease);
      this.#options.onReset(reset);
      return reset;
    } finally {
      letGo();
      await state.release([lease]);
    }
  }

  /** To look at all letters behind the place takes as long as there are many: the lease must not run out before. */
  #keep(lease: Lease): Cancel {
    const { adapter, runtime } = this.#options;
    let isOver = false;
    let cancel: Cancel | undefined;
    const renew = () => {
      cancel = runtime.timers.after(LEASE_TTL_MS / 3, () => {
        // Whether it was lost the commit is told.
        const renewed = adapter.state.renew([lease], { ttlMs: LEASE_TTL_MS });
        renewed.catch(() => {}).finally(() => isOver || renew());
      });
    };
    renew();
    return () => {
      isOver = true;
      cancel?.();
    };
  }

  async #commit(request: ResetRequest, lease: Lease | undefined): Promise<SubscriptionReset> {
    const trimmed = trimMarkKey(this.#options.dispatch.partition);
    for (let tries = 1; ; tries++) {
      try {
        return await this.trimHere.resetting(() => this.#commitOnce(request, lease));
      } catch (error) {
        // Another process removes what it would have gone on with, or resets another subscription.
        const isTrimmed = isEventManagerError(error, 'revision_conflict') && error.details['key'] === trimmed;
        if (!isTrimmed || tries >= COMMIT_TRIES_MAX) throw error;
      }
    }
  }

  async #commitOnce(request: ResetRequest, lease: Lease | undefined): Promise<SubscriptionReset> {
    const { adapter, dispatch, runtime } = this.#options;
    const { state, store, supports } = adapter;
    const { partition, route } = dispatch;
    const { id, by, note } = request;
    const mark = supports.shared ? await readTrimMark(state, partition) : undefined;
    const asked = await startPosition(request.to, { store, partition, routedHead: route.head });
    const position = Math.max(asked, mark?.through ?? this.trimHere.through);
    // A queue that is ahead of what is routed here would take its place for that of a log that has lost its end.
    await route.reach(position);
    const keys = queueKeys(id, partition);
    const [progress] = await state.get('progress', [keys.progress]);
    const removals: StateChange[] = [];
    const letters: StateChange[] = [];
    for (const kind of ['owed', 'blocked'] as const) {
      for await (const page of statePages(state, kind, keys.owedPrefix)) {
        for (const { key } of page) removals.push({ kind, key });
        if (kind === 'owed') letters.push(...(await reopened(state, page)));
      }
    }
    const before = (progress?.value ?? {}) as JsonObject;
    const reset: SubscriptionReset = {
      ...{ id, from: cursorOf(partition, settledThrough(before)), to: cursorOf(partition, position) },
      ...{ dropped: removals.length, atMs: runtime.clock.wallMs(), by },
      ...(note === undefined ? {} : { note }),
    };
    // What it had before may die once more: the letter of that is another one.
    const kept = await highestRound({ state, timers: runtime.timers }, id, partition, { behind: position });
    const behindLetters = runtime.planted.has('reset-overwrites-letters') ? 0 : kept + 1;
    const firstRound = Math.max(firstRoundIn(before), behindLetters);
    const moved: StateChange = { kind: 'progress', key: keys.progress, value: movedTo(before, position, firstRound) };
    const step = { position, below: firstRound, atMs: reset.atMs, by };
    const superseding = await supersedingStep(store, partition, step);
    const audit = await this.#audit({ ...reset, firstRound }, superseding);
    runtime.failpoint('reset.before-commit');
    await state.commit([
      { ...moved, ifRevision: progress?.revision ?? 0, ...(lease ? { lease } : {}) },
      ...(runtime.planted.has('reset-keeps-debts') ? [] : removals),
      ...letters,
      audit,
      ...(mark ? [trimMarkChange(partition, mark)] : []),
    ]);
    runtime.failpoint('reset.after-commit');
    return reset;
  }

  /** With those before: who had it go where, and why. */
  async #audit(reset: KeptReset, step: SupersedingStep): Promise<StateChange> {
    const key = resetAuditKey(reset.id);
    const [kept] = await this.#options.adapter.state.get('audit', [key]);
    const resets = [...(((kept?.value as JsonObject | undefined)?.['resets'] as unknown as KeptReset[]) ?? []), reset];
    const superseding = stepsWith(stepsIn(kept?.value), step);
    const value = { resets: resets.slice(-AUDITED_MAX), ...(superseding.length > 0 ? { superseding } : {}) };
    return { kind: 'audit', key, value: value as unknown as JsonObject };
  }
}

/** The letters of those debts that came out of one: they are what is left of these deliveries. */
async function reopened(state: StateStore, debts: readonly StateEntry[]): Promise<StateChange[]> {
  const ids = debts.flatMap(({ value }) => {
    const { redriven } = value as unknown as { readonly redriven?: Redriven };
    return redriven ? [redriven.letterId] : [];
  });
  // A debt may be several rounds behind the letter that it came out of.
  const known = ids.length === 0 ? [] : await state.get('dead-letter-id', ids);
  const keys = known.flatMap((entry) => (entry ? [entry.value as string] : []));
  const changes: StateChange[] = [];
  for (const entry of keys.length === 0 ? [] : await state.get('dead-letter', keys)) {
    if (!entry) continue;
    const { closed: _closed, ...letter } = entry.value as unknown as DeadLetter;
    if (letter.state !== 'redriven') continue;
    changes.push({ kind: 'dead-letter', key: entry.key, value: { ...letter, state: 'open' } as unknown as JsonObject });
  }
  return changes;
}

function readReset(input: unknown): Pick<ResetRequest, 'to' | 'note'> {
  const fields = readFields(input, FIELDS, { code: 'invalid_run', pointer: '' });
  const [to, note] = [fields.get('to'), fields.get('note')];
  if (to === undefined) {
    throw new EventManagerError('invalid_run', 'Where to go on is expected: earliest, latest, a time or a cursor.', {
      pointer: '/to',
    });
  }
  if (note !== undefined && (typeof note !== 'string' || note.length > NOTE_CHARACTERS_MAX || /\0/.test(note))) {
    const words = `A note is a text of at most ${NOTE_CHARACTERS_MAX} characters.`;
    throw new EventManagerError('invalid_run', words, { pointer: fields.pointer('note') });
  }
  return { to: readLogPlace(to, fields.pointer('to')), ...(note === undefined ? {} : { note }) };
}

/** As a subscription that begins there, with the pace that it had, and one reset on: what it owes now is owed anew. */
function movedTo(before: JsonObject, position: Position, firstRound: number): JsonObject {
  const { rate, receiver } = before['lanes'] ? afterRemoval(before) : before;
  const lane = [position, position, []];
  const kept = { ...(rate === undefined ? {} : { rate }), ...(receiver === undefined ? {} : { receiver }) };
  const lives = { resets: resetsIn(before) + 1, ...(firstRound === 0 ? {} : { firstRound }) };
  return { lanes: [lane, lane, lane, lane], ...lives, ...kept } as unknown as JsonObject;
}

function settledThrough({ lanes }: JsonObject): Position {
  const records = (lanes ?? []) as unknown as readonly (readonly [Position, Position])[];
  return records.length === 0 ? 0 : Math.min(...records.map(([scanned]) => scanned));
}

function cursorOf(partition: number, position: Position): string {
  return encodeCursor([{ partition, position }]);
}
