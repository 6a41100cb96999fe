/**
 * How a projection is kept. `projection` has one record by its name: how far it is folded, and which of the states belong to
 * it. `snapshot` has the states, under name, generation and key. A commit writes the record together with every state that
 * changed since the one before, so what is kept is always the fold of the log up to the position that stands beside it.
 *
 * A rebuild begins a new generation and leaves what the old one kept to be cleared away afterwards: until then the record has
 * `isClearing`, so that whoever folds next goes on with it.
 */
import type { Position } from '../contracts/event-store.ts';
import type { Lease, Revision, StateChange, StateStore } from '../contracts/state-store.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { ParsedProjection } from './parse-projection.ts';
import type { ProjectionGap } from './projection.ts';

export interface ProjectionRecord {
  readonly version: number;
  readonly selects: string;
  readonly generation: number;
  /** Everything up to here is folded. */
  readonly position: Position;
  /** Events that were folded. */
  readonly folded: number;
  /** States that are kept. */
  readonly states: number;
  readonly gaps: readonly ProjectionGap[];
  /** Wall clock, milliseconds since 1970. */
  readonly keptAtMs: number;
  readonly isClearing?: true;
}

export interface KeptProjection {
  readonly record: ProjectionRecord;
  readonly revision: Revision;
}

/** A state that changed; `undefined` when there is none any more. */
export type ChangedStates = ReadonlyMap<string, JsonValue | undefined>;

const CLEARED_AT_ONCE = 500;

export class ProjectionRecords {
  readonly #state: StateStore;
  readonly #name: string;

  constructor(state: StateStore, name: string) {
    this.#state = state;
    this.#name = name;
  }

  async load(): Promise<KeptProjection | undefined> {
    const [entry] = await this.#state.get('projection', [this.#name]);
    return entry && { record: entry.value as unknown as ProjectionRecord, revision: entry.revision };
  }

  async states(generation: number, keys: readonly string[]): Promise<readonly (JsonValue | undefined)[]> {
    const prefix = this.#prefix(generation);
    const entries = await this.#state.get(
      'snapshot',
      keys.map((key) => `${prefix}${key}`),
    );
    return entries.map((entry) => entry?.value);
  }

  async keys(generation: number, after: string | undefined, limit: number): Promise<readonly string[]> {
    const prefix = this.#prefix(generation);
    const behind = after === undefined ? {} : { after: `${prefix}${after}` };
    const { entries } = await this.#state.load('snapshot', { prefix, limit, ...behind });
    return entries.map(({ key }) => key.slice(prefix.length));
  }

  /** Throws `revision_conflict` and `lease_lost`. */
  commit(record: ProjectionRecord, before: Revision, lease: Lease, changed: ChangedStates): Promise<Revision> {
    const prefix = this.#prefix(record.generation);
    const states = [...changed].map(([key, value]): StateChange => {
      const at = { kind: 'snapshot', key: `${prefix}${key}` } as const;
      return value === undefined ? at : { ...at, value };
    });
    const value = record as unknown as JsonObject;
    return this.#state.commit([{ kind: 'projection', key: this.#name, value, ifRevision: before, lease }, ...states]);
  }

  /** Removes some of what other generations left; false when there is nothing any more. */
  async clear(generation: number, lease: Lease): Promise<boolean> {
    const own = this.#prefix(generation);
    const prefix = `${this.#name}/`;
    for (let after: string | undefined; ; ) {
      const page = await this.#state.load('snapshot', {
        ...{ prefix, limit: CLEARED_AT_ONCE },
        ...(after === undefined ? {} : { after }),
      });
      const old = page.entries.filter(({ key }) => !key.startsWith(own));
      if (old.length > 0) {
        await this.#state.commit(old.map(({ key }) => ({ kind: 'snapshot', key, lease })));
        return true;
      }
      if (page.next === undefined) return false;
      after = page.next;
    }
  }

  #prefix(generation: number): string {
    return `${this.#name}/${generation}/`;
  }
}

/** Of a projection that has folded nothing. */
export function newRecord(definition: ParsedProjection, before: ProjectionRecord | undefined): ProjectionRecord {
  const { version, selects } = definition;
  const generation = (before?.generation ?? 0) + 1;
  const empty = { position: 0, folded: 0, states: 0, gaps: [], keptAtMs: 0 };
  return { version, selects, generation, ...empty, ...(before === undefined ? {} : { isClearing: true }) };
}
