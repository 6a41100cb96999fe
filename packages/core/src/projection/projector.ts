/**
 * Folds one projection, or follows whoever folds it.
 *
 *     following ──the lease is free──▶ folding ──lease or record taken by another──▶ following
 *         └──────── a greater version is kept, apply throws, a state cannot be kept ────────▶ failed
 *     any ──close──▶ closed
 *
 * Whoever has the lease folds; the record with the position and the states that changed are one commit, under the lease and
 * the revision that was read with it. So a commit of a process that was taken for dead changes nothing, and after a crash
 * the fold goes on from what is kept: no event is folded twice into it, and none is left out. What is in memory is a fold of
 * durable events that can be made again at any time, and it is forgotten whenever something is not as expected.
 *
 * Everything happens in one run at a time (`OneAtATime`): leases, folding, keeping, answering. Whoever calls only pokes it.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Position, Recorded } from '../contracts/event-store.ts';
import type { Lease, Revision } from '../contracts/state-store.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { mayPass } from '../errors/may-pass.ts';
import type { Event } from '../event/event.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { assertStateKey, FoldedStates } from './folded-states.ts';
import type { ParsedProjection } from './parse-projection.ts';
import type { ProjectionGap, ProjectionStatus } from './projection.ts';
import { newRecord, type ProjectionRecord, ProjectionRecords } from './projection-records.ts';

const LEASE_TTL_MS = 8_000;
const LOOK_EVERY_MS = 2_000;
const KEEP_AFTER_MS = 1_000;
const READ = { limit: 256, bytesMax: 1024 * 1024 };
/** Positions without an event of the projection after which the position alone is kept. */
const POSITIONS_MAX = 100_000;
const GAPS_MAX = 100;

export interface ProjectorOptions {
  readonly definition: ParsedProjection;
  readonly adapter: EventBusAdapter;
  readonly partition: number;
  readonly runtime: Runtime;
  readonly owner: string;
  /** For what neither the projection nor a store that is away is the reason of. */
  readonly onFailure: (error: unknown) => void;
}

/** The fold that is under way here, from the record that was read with the lease. */
interface Folding {
  readonly lease: Lease;
  readonly states: FoldedStates;
  readonly gaps: ProjectionGap[];
  record: ProjectionRecord;
  revision: Revision;
  position: Position;
  folded: number;
  renewedMs: number;
}

interface Waiting {
  readonly position: Position;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Selected {
  readonly event: Event;
  readonly key: string;
  readonly position: Position;
}

export class Projector {
  readonly #options: ProjectorOptions;
  readonly #records: ProjectionRecords;
  readonly #running: OneAtATime;
  readonly #waiting = new Set<Waiting>();
  #folding: Folding | undefined;
  /** Where another process folds: what it kept last. */
  #seen: ProjectionRecord | undefined;
  #seenState: unknown;
  #failure: Error | undefined;
  #isKeepDue = false;
  #rebuilding: PromiseWithResolvers<void> | undefined;
  /** Resolved when it is known who folds. */
  readonly #known: PromiseWithResolvers<void> = Promise.withResolvers();
  #cancelLook: Cancel | undefined;
  #cancelKeep: Cancel | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#records = new ProjectionRecords(options.adapter.state, options.definition.name);
    this.#running = new OneAtATime(
      () => this.#run(),
      (error) => {
        this.#fail(asError(error));
        options.onFailure(error);
      },
      options.runtime.timers,
    );
  }

  get status(): ProjectionStatus {
    if (this.#closing) return 'closed';
    if (this.#failure) return 'failed';
    return this.#folding ? 'folding' : 'following';
  }

  get error(): Error | undefined {
    return this.#failure ?? this.#running.trouble;
  }

  get position(): Position {
    return this.#folding?.position ?? this.#seen?.position ?? 0;
  }

  get gaps(): readonly ProjectionGap[] {
    return [...(this.#folding?.gaps ?? this.#seen?.gaps ?? [])];
  }

  /** The one state of a projection without keys. */
  get state(): unknown {
    const { initial, isKeyed } = this.#options.definition;
    if (isKeyed) throw new TypeError('A projection with keys has a state for each: ask get(key).');
    const state = this.#folding ? this.#folding.states.get('') : structuredClone(this.#seenState);
    return state === undefined ? initial() : state;
  }

  /** Resolves when it is known who folds. Throws what keeps it from being known. */
  async start(): Promise<void> {
    this.#look();
    await Promise.race([this.#known.promise, this.#running.ended()]);
    const { error } = this;
    if (error) throw error;
  }

  /** The log grew here. */
  advanced(): void {
    if (this.#folding) this.#running.poke();
  }

  /** Another process may have appended or kept something. */
  poke(): void {
    if (this.#folding || this.#waiting.size > 0) this.#running.poke();
  }

  async get(key = ''): Promise<unknown> {
    assertStateKey(key);
    this.#assertUsable();
    const { isKeyed } = this.#options.definition;
    if (isKeyed !== (key !== '')) throw new TypeError('A state is asked for by its key if the projection has keys.');
    const folding = this.#folding;
    if (folding?.states.knows(key)) return this.#orInitial(folding.states.get(key));
    const record = folding?.record ?? (await this.#loadRecord());
    if (record === undefined) return this.#orInitial(undefined);
    const [state] = await this.#records.states(record.generation, [key]);
    return this.#orInitial(state);
  }

  async keys(after: string | undefined, limit: number): Promise<readonly string[]> {
    this.#assertUsable();
    if (this.#folding) await this.#upTo(this.#folding.position);
    const record = this.#folding?.record ?? (await this.#loadRecord());
    return record === undefined ? [] : this.#records.keys(record.generation, after, limit);
  }

  async caughtUp(): Promise<void> {
    this.#assertUsable();
    const { adapter, partition } = this.#options;
    const bounds = await adapter.store.bounds();
    await this.#upTo(bounds.find((each) => each.partition === partition)?.head ?? 0);
  }

  async rebuild(): Promise<void> {
    this.#assertUsable();
    if (!this.#folding) throw new EventManagerError('lease_lost', 'Another process folds this projection.');
    this.#rebuilding ??= Promise.withResolvers();
    this.#running.poke();
    await this.#rebuilding.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelLook?.();
    this.#cancelKeep?.();
    await this.#running.stop();
    const folding = this.#folding;
    try {
      if (folding) await this.#keep(folding);
    } catch (error) {
      // Nothing is lost by it: whoever folds next makes it again from what was kept before.
      if (!isEventManagerError(error)) throw error;
    } finally {
      if (folding) await this.#options.adapter.state.release([folding.lease]).catch(() => {});
      const closed = new EventManagerError('closed', 'The projection is closed.');
      this.#endWaiting(closed);
      this.#endRebuilding(closed);
    }
  }

  #look(): void {
    this.#cancelLook = this.#options.runtime.timers.after(LOOK_EVERY_MS, () => this.#look());
    this.#running.poke();
  }

  async #run(): Promise<void> {
    if (this.#failure) return;
    try {
      await this.#renewOrAcquire();
      if (this.#folding && this.#rebuilding) await this.#begin(this.#folding, this.#rebuilding);
      this.#known.resolve();
      if (!this.#folding) {
        this.#endRebuilding(new EventManagerError('lease_lost', 'Another process folds this projection by now.'));
        return await this.#follow();
      }
      if (this.#folding.record.isClearing) await this.#clear(this.#folding);
      await this.#fold(this.#folding);
    } catch (error) {
      await this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const code = isEventManagerError(error) ? error.code : undefined;
    // A commit that was taken for lost and arrived after all shows itself as a conflict, too.
    const isTaken = code === 'lease_lost' || code === 'revision_conflict';
    if (!isTaken && mayPass(error)) throw error;
    const folding = this.#folding;
    this.#folding = undefined;
    if (code === 'store_failed' || code === 'closed') throw error;
    if (isTaken) {
      // Somebody else folds, or did: the next look reads what is kept.
      this.#endRebuilding(error);
      return;
    }
    this.#fail(asError(error));
    if (folding) await this.#options.adapter.state.release([folding.lease]);
  }

  async #renewOrAcquire(): Promise<void> {
    const { adapter, runtime, owner, definition } = this.#options;
    const nowMs = runtime.clock.monotonicMs();
    if (this.#folding) {
      if (nowMs - this.#folding.renewedMs < LOOK_EVERY_MS) return;
      const lost = await adapter.state.renew([this.#folding.lease], { ttlMs: LEASE_TTL_MS });
      if (lost.length > 0) this.#folding = undefined;
      else this.#folding.renewedMs = nowMs;
    }
    if (this.#folding) return;
    const [lease] = await adapter.state.acquire([`projection/${definition.name}`], { owner, ttlMs: LEASE_TTL_MS });
    if (lease) await this.#lead(lease, nowMs);
  }

  /** Takes up what is kept, or begins anew. */
  async #lead(lease: Lease, renewedMs: number): Promise<void> {
    const { definition, adapter } = this.#options;
    const kept = await this.#records.load();
    const { version, selects } = definition;
    const misfit = kept && misfitOf(kept.record, definition);
    if (misfit) {
      await adapter.state.release([lease]);
      throw misfit;
    }
    const isUsable = kept !== undefined && kept.record.version === version && kept.record.selects === selects;
    const record = isUsable ? kept.record : newRecord(definition, kept?.record);
    const { position, folded } = record;
    const folding: Folding = {
      ...{ lease, renewedMs, record, position, folded },
      states: new FoldedStates(definition, record.states),
      gaps: [...record.gaps],
      revision: kept?.revision ?? 0,
    };
    if (!isUsable) folding.revision = await this.#records.commit(record, folding.revision, lease, new Map());
    // The one state of a projection without keys can be asked for without a wait, whether or not an event comes.
    else if (!definition.isKeyed) folding.states.put('', (await this.#records.states(record.generation, ['']))[0]);
    this.#folding = folding;
  }

  /** A new generation, from the start of the log. */
  async #begin(folding: Folding, rebuilding: PromiseWithResolvers<void>): Promise<void> {
    const { definition } = this.#options;
    const record = newRecord(definition, folding.record);
    const { lease, renewedMs } = folding;
    const revision = await this.#records.commit(record, folding.revision, lease, new Map());
    const states = new FoldedStates(definition, 0);
    this.#folding = { lease, renewedMs, record, revision, states, gaps: [], position: 0, folded: 0 };
    this.#rebuilding = undefined;
    rebuilding.resolve();
  }

  async #clear(folding: Folding): Promise<void> {
    while (await this.#records.clear(folding.record.generation, folding.lease)) await this.#renewOrAcquire();
    const { isClearing: _, ...record } = folding.record;
    folding.revision = await this.#records.commit(record, folding.revision, folding.lease, new Map());
    folding.record = record;
  }

  async #fold(folding: Folding): Promise<void> {
    const { adapter, partition, runtime } = this.#options;
    for (;;) {
      if (this.#running.isStopped || this.#rebuilding) return;
      const after = folding.position;
      const piece = await adapter.store.read(partition, after, READ);
      if (piece.lost) noteGap(folding.gaps, piece.lost);
      const selected = this.#select(piece.records);
      await this.#loadStates(folding, selected);
      for (const each of selected) {
        this.#apply(folding, each);
        if (folding.states.isFull) await this.#keep(folding);
      }
      folding.position = piece.scannedTo;
      if (this.#isWorthKeeping(folding)) await this.#keep(folding);
      await this.#renewOrAcquire();
      if (this.#folding !== folding) return;
      if (piece.scannedTo === after) break;
      // A store that answers from memory waits for nothing, and others want the loop, too.
      await new Promise<void>((resolve) => runtime.timers.soon(resolve));
    }
    if (this.#isKeepDue || this.#waiting.size > 0) await this.#keep(folding);
    else this.#keepLater(folding);
    this.#answer(folding.record.position);
  }

  #select(records: readonly Recorded[]): readonly Selected[] {
    const { definition } = this.#options;
    const selected: Selected[] = [];
    for (const record of records) {
      const event = definition.select(record);
      if (event === undefined) continue;
      const key = runOwn(definition.name, event, () => {
        const own = definition.keyOf(event);
        if (own !== undefined) assertStateKey(own);
        return own;
      });
      if (key !== undefined) selected.push({ event, key, position: record.place.position });
    }
    return selected;
  }

  async #loadStates(folding: Folding, selected: readonly Selected[]): Promise<void> {
    const { states, record } = folding;
    states.trim();
    const keys = [...new Set(selected.map(({ key }) => key))].filter((key) => !states.knows(key));
    if (keys.length === 0) return;
    const kept = await this.#records.states(record.generation, keys);
    for (const [at, key] of keys.entries()) states.put(key, kept[at]);
  }

  #apply(folding: Folding, { event, key, position }: Selected): void {
    runOwn(this.#options.definition.name, event, () => folding.states.apply(key, event));
    folding.states.assertSize();
    folding.position = position;
    folding.folded++;
  }

  #isWorthKeeping({ folded, position, record }: Folding): boolean {
    const { snapshotEvery } = this.#options.definition;
    return folded - record.folded >= snapshotEvery || position - record.position >= POSITIONS_MAX;
  }

  /** Nothing is done where nothing changed. */
  async #keep(folding: Folding): Promise<void> {
    const { states, gaps, position, folded } = folding;
    this.#isKeepDue = false;
    this.#cancelKeep?.();
    this.#cancelKeep = undefined;
    if (position === folding.record.position) return;
    const changed = states.changed();
    const keptAtMs = this.#options.runtime.clock.wallMs();
    const record = { ...folding.record, position, folded, states: states.count, gaps: [...gaps], keptAtMs };
    folding.revision = await this.#records.commit(record, folding.revision, folding.lease, changed);
    folding.record = record;
    states.kept(changed);
  }

  #keepLater({ folded, record }: Folding): void {
    if (folded === record.folded || this.#cancelKeep !== undefined) return;
    this.#cancelKeep = this.#options.runtime.timers.after(KEEP_AFTER_MS, () => {
      this.#isKeepDue = true;
      this.#running.poke();
    });
  }

  async #follow(): Promise<void> {
    const record = await this.#loadRecord();
    if (record === undefined) return;
    const isNew = record.position !== this.#seen?.position || record.generation !== this.#seen.generation;
    if (isNew && !this.#options.definition.isKeyed) {
      [this.#seenState] = await this.#records.states(record.generation, ['']);
    }
    this.#seen = record;
    this.#answer(record.position);
  }

  /** What is kept by this version; `undefined` where that has folded nothing yet. */
  async #loadRecord(): Promise<ProjectionRecord | undefined> {
    const { definition } = this.#options;
    const kept = await this.#records.load();
    const misfit = kept && misfitOf(kept.record, definition);
    if (misfit) throw misfit;
    return kept?.record.version === definition.version ? kept.record : undefined;
  }

  #upTo(position: Position): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ position, resolve, reject });
      this.#running.poke();
    });
  }

  #answer(position: Position): void {
    for (const waiting of this.#waiting) {
      if (waiting.position > position) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  #endWaiting(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#folding = undefined;
    this.#cancelLook?.();
    this.#cancelKeep?.();
    this.#known.resolve();
    this.#endWaiting(error);
    this.#endRebuilding(error);
  }

  #endRebuilding(error: unknown): void {
    this.#rebuilding?.reject(error);
    this.#rebuilding = undefined;
  }

  #orInitial(state: unknown): unknown {
    const { isKeyed, initial } = this.#options.definition;
    return state === undefined && !isKeyed ? initial() : state;
  }

  #assertUsable(): void {
    if (this.#closing) throw new EventManagerError('closed', 'The projection is closed.');
    if (this.#failure) throw this.#failure;
  }
}

/** Whatever the program's own functions throw ends the projection, and says at which event. */
function runOwn<Value>(name: string, { id }: Event, own: () => Value): Value {
  try {
    return own();
  } catch (cause) {
    const details = { name, eventId: id };
    const why = cause instanceof Error ? `: ${cause.message}` : '.';
    throw new EventManagerError(
      'projection_failed',
      `The projection ${name} threw at event ${id}${why}`,
      details,
      cause,
    );
  }
}

/** What is read again after a commit that failed is no other gap. */
function noteGap(gaps: ProjectionGap[], { cause, from, through }: ProjectionGap): void {
  const last = gaps.at(-1);
  if (gaps.length < GAPS_MAX && (last === undefined || through > last.through)) gaps.push({ cause, from, through });
}

/** Why this definition can do nothing with what is kept. */
function misfitOf(record: ProjectionRecord, definition: ParsedProjection): EventManagerError | undefined {
  const { name, version, selects } = definition;
  const details = { name, version, kept: record.version };
  if (record.version > version) {
    const words = `The projection ${name} is kept in version ${record.version}; this is version ${version}.`;
    return new EventManagerError('projection_conflict', words, details);
  }
  if (record.version < version || record.selects === selects) return undefined;
  const words = `The projection ${name} takes other events than those it was kept with: that needs another version.`;
  return new EventManagerError('projection_conflict', words, details);
}

function asError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new EventManagerError('internal', 'Something was thrown that is no error.', {}, error);
}
