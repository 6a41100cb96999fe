/**
 * States that are folded out of the events of a store, and kept so that the next time only what came since has to be folded.
 *
 * A snapshot is a fold of everything up to its position, by one version of the fold. It is never needed: without it, or when it
 * is of another version, the state is folded from the first event. So it may be late or lost, and is written when enough was
 * folded, after the fold; a crash in between costs the work and nothing else.
 *
 * Folds of one name may run side by side. One keeps its state only where the snapshot is still the one that it began with: so it
 * neither sets back what another fold kept meanwhile, nor brings back what was forgotten or rebuilt. Looking and keeping are one step
 * in this process, and two beside another one.
 */
import { isDeepStrictEqual } from 'node:util';
import { readTimeMs } from '../../ingest/read-time.ts';
import { checkJson } from '../../json/check-json.ts';
import type { JsonValue } from '../../json.ts';
import { assertPlainAnswer } from '../../projection/assert-plain-answer.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import { type BusEvent, busEvent } from '../bus-event.ts';
import { assertEventStore } from './assert-event-store.ts';
import type { BusEventStore, KeptSnapshot } from './bus-event-store.ts';
import { readEvents } from './read-events.ts';
import { type Upcaster, Upcasters } from './upcasters.ts';

const SNAPSHOT_EVERY = 100;
const DEPTH_MAX = 64;
const NAME_CHARACTERS_MAX = 500;

/** How events become a state. The same events in the same order have to give the same state. */
export interface SnapshotDefinition<State> {
  /** Under it the snapshot is kept: one name for each state, as `account/4711`. */
  readonly name: string;
  /** A whole number from 1 on; change it with `apply`, `topic` or `types`. */
  readonly version?: number | undefined;
  /** Topic pattern; everything when absent. A topic for each aggregate is read by itself. */
  readonly topic?: string | undefined;
  /** Patterns over the type. */
  readonly types?: readonly string[] | undefined;
  /** The state before the first event: JSON, or what makes it. */
  readonly initial: State | (() => State);
  /** Returns the state behind the event; nothing when it changed the state in place. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return is what changes a state in place.
  readonly apply: (state: State, event: BusEvent) => State | undefined | void;
}

/** A state, and what it took to make it. */
export interface FoldedState<State> {
  readonly state: State;
  /** Of the last event that is folded in; 0 when there was none. */
  readonly position: number;
  /** Events that were folded now. */
  readonly folded: number;
  /** Position of the snapshot that it began with; 0 without one. */
  readonly snapshotPosition: number;
  /** Positions that the store has no more and no snapshot covers: the state is a fold of the others. */
  readonly missing: number;
}

export interface SnapshotOptions {
  /** A snapshot is kept when so many events had to be folded. Default: 100. */
  readonly snapshotEvery?: number | undefined;
  /** Brings old events to the current version of their type. */
  readonly upcasters?: Upcasters | readonly Upcaster[] | undefined;
}

const DEFINITION = [
  'name',
  'version',
  'topic',
  'types',
  'initial',
  'apply',
] satisfies (keyof SnapshotDefinition<unknown>)[];

export class SnapshotService {
  readonly #store: BusEventStore;
  readonly #snapshotEvery: number;
  readonly #upcasters: Upcasters;

  constructor(store: BusEventStore, options: SnapshotOptions = {}) {
    assertEventStore(store, 'SnapshotService');
    refuseUnknownOptions(
      options,
      ['snapshotEvery', 'upcasters'] satisfies (keyof SnapshotOptions)[],
      'SnapshotService',
    );
    const { snapshotEvery = SNAPSHOT_EVERY, upcasters = [] } = options;
    if (!(snapshotEvery >= 1)) throw new TypeError('snapshotEvery is a number from 1 on.');
    this.#store = store;
    this.#snapshotEvery = snapshotEvery;
    this.#upcasters = upcasters instanceof Upcasters ? upcasters : new Upcasters(upcasters);
  }

  /**
   * The state now: the latest snapshot and the events behind it. Throws what `apply` and the store throw, `invalid_pattern`,
   * `upcast_failed`; TypeError for a state that is no plain JSON.
   */
  async load<State>(definition: SnapshotDefinition<State>): Promise<FoldedState<State>> {
    const name = checkedName(definition);
    const began = await this.#store.loadSnapshot(name);
    const version = versionOf(definition);
    const folded = await this.#fold(definition, began?.version === version ? began : undefined);
    const { state, position, recordedAtMs, missing } = folded;
    if (folded.folded >= this.#snapshotEvery && missing === 0) {
      const made = { state: jsonOf(state, name), version, position, recordedAtMs };
      await this.#inTurn(name, async () => {
        if (isDeepStrictEqual(await this.#store.loadSnapshot(name), began)) await this.#store.saveSnapshot(name, made);
      });
    }
    return answerOf(folded);
  }

  /**
   * The same from the first event on, whatever snapshot there is, and keeps that in its place. Where the fold fails, the snapshot
   * stays; where the store has not all events any more, there is none afterwards.
   */
  async rebuild<State>(definition: SnapshotDefinition<State>): Promise<FoldedState<State>> {
    const name = checkedName(definition);
    const folded = await this.#fold(definition, undefined);
    const { state, position, recordedAtMs, missing } = folded;
    const isWhole = folded.folded > 0 && missing === 0;
    const made = isWhole
      ? { state: jsonOf(state, name), version: versionOf(definition), position, recordedAtMs }
      : undefined;
    await this.#inTurn(name, () => this.#store.saveSnapshot(name, made));
    return answerOf(folded);
  }

  /** The state of events that were kept before a moment: a `Date`, RFC 3339 text or milliseconds since 1970. Keeps nothing. */
  async at<State>(definition: SnapshotDefinition<State>, moment: Date | string | number): Promise<FoldedState<State>> {
    const toMs = readTimeMs(moment, '/moment', 'invalid_query');
    const latest = await this.#store.loadSnapshot(checkedName(definition));
    const isUsable = latest?.version === versionOf(definition) && latest.recordedAtMs < toMs;
    return answerOf(await this.#fold(definition, isUsable ? latest : undefined, toMs));
  }

  /** Forgets a snapshot. The events stay. */
  async remove(name: string): Promise<void> {
    await this.#inTurn(name, () => this.#store.saveSnapshot(name, undefined));
  }

  /** One change of a snapshot after the other, whichever service of this process makes it. */
  #inTurn(name: string, change: () => Promise<void>): Promise<void> {
    const turns = turnsOf(this.#store);
    const changed = (turns.get(name) ?? Promise.resolve()).then(change);
    const ended = changed
      .catch(() => {})
      .finally(() => {
        if (turns.get(name) === ended) turns.delete(name);
      });
    turns.set(name, ended);
    return changed;
  }

  async #fold<State>(
    definition: SnapshotDefinition<State>,
    snapshot: KeptSnapshot | undefined,
    toMs?: number,
  ): Promise<Folded<State>> {
    const { topic, types, apply } = definition;
    const snapshotPosition = snapshot?.position ?? 0;
    let state = snapshot ? (snapshot.state as State) : initialOf(definition);
    let position = snapshotPosition;
    let recordedAtMs = snapshot?.recordedAtMs ?? 0;
    let folded = 0;
    let missing = 0;
    const selection = { topic, types, to: toMs, after: snapshotPosition };
    for await (const page of readEvents(this.#store, selection, this.#upcasters)) {
      missing += page.missing;
      for (const { event, ...kept } of page.events) {
        // The one that was kept is compared later, and a store may hand out its own.
        if (folded === 0 && snapshot) state = structuredClone(state);
        const next = apply(state, busEvent(event));
        assertPlainAnswer(next);
        // `null` is a state like any other: of what was deleted, for example.
        if (next !== undefined) state = next as State;
        ({ position, recordedAtMs } = kept);
        folded++;
      }
    }
    return { state, position, folded, snapshotPosition, missing, recordedAtMs };
  }
}

interface Folded<State> extends FoldedState<State> {
  /** When the last event of it was kept. */
  readonly recordedAtMs: number;
}

function answerOf<State>({ recordedAtMs: _, ...folded }: Folded<State>): FoldedState<State> {
  return folded;
}

function versionOf({ version = 1 }: { readonly version?: number | undefined }): number {
  return version;
}

/** The changes of snapshots under way, by name: of each store, since several services may share one. */
const TURNS = new WeakMap<BusEventStore, Map<string, Promise<void>>>();

function turnsOf(store: BusEventStore): Map<string, Promise<void>> {
  const turns = TURNS.get(store) ?? new Map<string, Promise<void>>();
  TURNS.set(store, turns);
  return turns;
}

function checkedName(definition: { readonly name: string; readonly version?: number | undefined }): string {
  refuseUnknownOptions(definition, DEFINITION, 'A snapshot');
  const { name, version = 1 } = definition;
  if (typeof name !== 'string' || name === '' || name.length > NAME_CHARACTERS_MAX || /\0/.test(name)) {
    throw new TypeError(`The name of a snapshot has 1 to ${NAME_CHARACTERS_MAX} characters, and no NUL.`);
  }
  if (!Number.isInteger(version) || version < 1)
    throw new TypeError('The version of a snapshot is a whole number from 1 on.');
  return name;
}

function initialOf<State>({ initial }: SnapshotDefinition<State>): State {
  return typeof initial === 'function' ? (initial as () => State)() : structuredClone(initial);
}

/** What JSON would change, as a `Date`, would make another state of the snapshot than of the events. */
function jsonOf(state: unknown, name: string): JsonValue {
  let isPlain = true;
  try {
    isPlain = checkJson(state, { depthMax: DEPTH_MAX, pointer: '' });
  } catch (error) {
    throw new TypeError(`The state of the snapshot ${name} is no JSON.`, { cause: error });
  }
  const text = JSON.stringify(state, function (this: Record<string, unknown>, key, value) {
    if (this[key] instanceof Date) isPlain = false;
    return value as unknown;
  });
  if (isPlain) return JSON.parse(text) as JsonValue;
  throw new TypeError(`The state of the snapshot ${name} is no plain JSON: write a Date as a text or a number.`);
}
