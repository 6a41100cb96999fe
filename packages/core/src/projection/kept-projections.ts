/** What projections keep, for whoever did not define them: people, other programs, the service. Always what was kept last. */
import type { Lease, StateEntry, StateStore } from '../contracts/state-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonValue } from '../json.ts';
import type { Principal } from '../principal.ts';
import { encodeCursor } from '../query/cursor.ts';
import { assertStateKey } from './folded-states.ts';
import type { ProjectionGap } from './projection.ts';
import { type ProjectionRecord, ProjectionRecords } from './projection-records.ts';

const LEASE_TTL_MS = 8_000;
const PAGE = 1_000;

/** A projection as it is kept. */
export interface ProjectionInfo {
  readonly name: string;
  readonly version: number;
  /** Topic pattern. */
  readonly topic: string;
  /** It has a state for each key. */
  readonly isKeyed: boolean;
  /** Everything up to this cursor is folded. */
  readonly position: string;
  /** Events that were folded, and states that they made. */
  readonly folded: number;
  readonly states: number;
  /** Events that were not there any more when their turn came. */
  readonly gaps: readonly ProjectionGap[];
  /** RFC 3339; absent before the first time. */
  readonly keptAt?: string;
}

/** A state as it is kept. */
export interface ProjectionState {
  /** `null` where nothing is kept. */
  readonly state: JsonValue;
  readonly position: string;
}

export interface NamesPage {
  readonly names: readonly string[];
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
}

export interface KeptProjectionsOptions {
  readonly state: StateStore;
  readonly partition: number;
  readonly owner: string;
  /** This process has it open. */
  readonly isOpen: (name: string) => boolean;
}

export class KeptProjections {
  readonly #options: KeptProjectionsOptions;

  constructor(options: KeptProjectionsOptions) {
    this.#options = options;
  }

  /** By name. */
  async page(
    _principal: Principal,
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<{ readonly projections: readonly ProjectionInfo[]; readonly next?: string }> {
    const behind = after === undefined ? {} : { after };
    const { entries, next } = await this.#options.state.load('projection', { limit, ...behind });
    const projections = entries.map((entry) => this.#infoOf(entry));
    return next === undefined ? { projections } : { projections, next };
  }

  /** By name. */
  async all(principal: Principal): Promise<readonly ProjectionInfo[]> {
    const all: ProjectionInfo[] = [];
    for (let after: string | undefined; ; ) {
      const { projections, next } = await this.page(principal, { after, limit: PAGE });
      all.push(...projections);
      if (next === undefined) return all;
      after = next;
    }
  }

  /** Throws `projection_not_found`. */
  async get(_principal: Principal, name: string): Promise<ProjectionInfo> {
    return this.#infoOf(await this.#entry(name));
  }

  /** Of a key, or without one of a projection that has no keys; `null` where nothing is kept for it. Throws `projection_not_found`. */
  async state(_principal: Principal, name: string, key?: string): Promise<ProjectionState> {
    const entry = await this.#entry(name);
    const { position } = this.#infoOf(entry);
    const { generation } = entry.value as unknown as ProjectionRecord;
    const [state] = await this.#records(name).states(generation, [keyOf(key)]);
    return { state: state ?? null, position };
  }

  /** Keys that have a state, in their order. Throws `projection_not_found`. */
  async keys(
    _principal: Principal,
    name: string,
    { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<NamesPage> {
    const { generation } = (await this.#entry(name)).value as unknown as ProjectionRecord;
    const names = await this.#records(name).keys(generation, after === undefined ? undefined : keyOf(after), limit);
    const last = names.at(-1);
    return names.length < limit || last === undefined ? { names } : { names, next: last };
  }

  /** All of them. Throws `projection_not_found`. */
  async allKeys(principal: Principal, name: string): Promise<readonly string[]> {
    const all: string[] = [];
    for (let after: string | undefined; ; ) {
      const { names, next } = await this.keys(principal, name, { after, limit: PAGE });
      all.push(...names);
      if (next === undefined) return all;
      after = next;
    }
  }

  /** Forgets what is kept. Throws `projection_not_found`, and `projection_conflict` while a process folds it. */
  async remove(_principal: Principal, name: string): Promise<void> {
    await this.#entry(name);
    const { state, owner, isOpen } = this.#options;
    const [lease] = isOpen(name) ? [] : await state.acquire([`projection/${name}`], { owner, ttlMs: LEASE_TTL_MS });
    if (!lease) throw new EventManagerError('projection_conflict', `A process folds the projection ${name}.`, { name });
    try {
      await this.#removeAll(name, lease);
    } finally {
      await state.release([lease]);
    }
  }

  /** The record goes last: as long as it is there, whoever is interrupted can be repeated. */
  async #removeAll(name: string, lease: Lease): Promise<void> {
    const { state } = this.#options;
    // No generation has this number, so all of them are others.
    while (await this.#records(name).clear(0, lease)) await state.renew([lease], { ttlMs: LEASE_TTL_MS });
    await state.commit([{ kind: 'projection', key: name, lease }]);
  }

  async #entry(name: string): Promise<StateEntry> {
    const isName = /^[A-Za-z0-9._:-]{1,100}$/.test(name);
    const [entry] = isName ? await this.#options.state.get('projection', [name]) : [];
    if (entry) return entry;
    throw new EventManagerError('projection_not_found', 'No projection is kept under this name.', { name });
  }

  #records(name: string): ProjectionRecords {
    return new ProjectionRecords(this.#options.state, name);
  }

  #infoOf({ key: name, value }: StateEntry): ProjectionInfo {
    const { version, selects, position, folded, states, gaps, keptAtMs } = value as unknown as ProjectionRecord;
    const { topic, isKeyed } = JSON.parse(selects) as Pick<ProjectionInfo, 'topic' | 'isKeyed'>;
    return {
      ...{ name, version, topic, isKeyed },
      position: encodeCursor([{ partition: this.#options.partition, position }]),
      ...{ folded, states, gaps },
      ...(keptAtMs === 0 ? {} : { keptAt: new Date(keptAtMs).toISOString() }),
    };
  }
}

/** No state has a key that could not be one, so whoever asks for it is told that there is none. */
function keyOf(key = ''): string {
  try {
    assertStateKey(key);
    return key;
  } catch {
    throw new EventManagerError('invalid_query', 'A key has at most 255 characters and no NUL.', { pointer: '/key' });
  }
}
