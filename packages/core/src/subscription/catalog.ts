import type { StateChange, StateEntry, StateStore } from '../contracts/state-store.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { foreignEventId } from '../event/foreign-event-id.ts';
import type { Clock } from '../runtime/clock.ts';
import { statePages } from '../state-pages.ts';
import { leftWithoutEffect } from './options/without-effect.ts';
import type { SubscriptionDefinition, SubscriptionRequest } from './subscription.ts';

interface Known {
  readonly definition: SubscriptionDefinition;
  /** 0 for a subscription that lives with this process. */
  readonly revision: number;
  readonly characters: number;
}

/** The definitions of all subscriptions: the durable ones as the state store has them, and those of this process. */
export class Catalog {
  readonly #state: StateStore;
  readonly #known = new Map<string, Known>();
  /** Changed here since the refresh under way began: what it read may be older. */
  readonly #changed = new Set<string>();
  #characters = 0;

  constructor(state: StateStore) {
    this.#state = state;
  }

  get size(): number {
    return this.#known.size;
  }

  /** What the definitions take as JSON. */
  get characters(): number {
    return this.#characters;
  }

  /** By how much they would grow if this were put among them, or in the place of the one it changes. */
  growthBy(definition: SubscriptionDefinition): number {
    return charactersOf(definition) - (this.#known.get(definition.id)?.characters ?? 0);
  }

  get(id: string): SubscriptionDefinition | undefined {
    return this.#known.get(id)?.definition;
  }

  /** Throws `subscription_not_found`. */
  known(id: string): SubscriptionDefinition {
    const definition = this.get(id);
    if (definition) return definition;
    throw notFound(id);
  }

  /** In the order of creation. */
  list(): SubscriptionDefinition[] {
    return [...this.#known.values()].map((known) => known.definition).sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  isDurable(id: string): boolean {
    return (this.#known.get(id)?.revision ?? 0) > 0;
  }

  /** Reads all durable definitions; returns the ids that vanished since the last time. */
  async refresh(): Promise<readonly string[]> {
    const seen = new Set<string>();
    this.#changed.clear();
    for await (const page of statePages(this.#state, 'subscription')) {
      for (const entry of page) {
        seen.add(entry.key);
        if (!this.#changed.has(entry.key)) this.#remember(entry);
      }
    }
    const vanished = [...this.#known]
      .filter(([id, known]) => known.revision > 0 && !seen.has(id) && !this.#changed.has(id))
      .map(([id]) => id);
    for (const id of vanished) this.#forget(id);
    return vanished;
  }

  /** Reads some durable definitions anew. */
  async reload(ids: readonly string[]): Promise<void> {
    const before = ids.map((id) => this.#known.get(id));
    const entries = await this.#state.get('subscription', ids);
    for (const [at, id] of ids.entries()) {
      const entry = entries[at];
      if (entry) this.#remember(entry);
      else if (this.#known.get(id) === before[at]) this.#forget(id);
    }
  }

  addEphemeral(definition: SubscriptionDefinition): void {
    this.#keep(definition, 0);
  }

  removeEphemeral(id: string): void {
    this.#forget(id);
  }

  /** Creates a durable subscription together with `more`. Throws `subscription_conflict` when somebody was faster. */
  async create(definition: SubscriptionDefinition, more: readonly StateChange[]): Promise<void> {
    const value = definition as unknown as StateEntry['value'];
    try {
      const change: StateChange = { kind: 'subscription', key: definition.id, value, ifRevision: 0 };
      const revision = await this.#state.commit([change, ...more]);
      this.#set(definition, revision);
    } catch (error) {
      if (!isEventManagerError(error, 'revision_conflict')) throw error;
      throw new EventManagerError('subscription_conflict', 'A subscription with this name was created meanwhile.', {
        pointer: '/name',
      });
    }
  }

  /** Replaces a definition, together with `more`. Throws `revision_conflict` when somebody else changed it meanwhile. */
  async update(definition: SubscriptionDefinition, more: readonly StateChange[] = []): Promise<void> {
    const known = this.#known.get(definition.id);
    if (!known || known.revision === 0) {
      this.addEphemeral(definition);
      return;
    }
    const value = definition as unknown as StateEntry['value'];
    const revision = await this.#state.commit([
      { kind: 'subscription', key: definition.id, value, ifRevision: known.revision },
      ...more,
    ]);
    this.#set(definition, revision);
  }

  /**
   * Makes a change to what is known of a subscription: again, to what the store has, when another process was faster. Throws
   * what `change` throws, and `subscription_not_found` when it was removed meanwhile.
   */
  async upToDate<T>(id: string, change: () => Promise<T>): Promise<T> {
    for (;;) {
      const tried = this.#known.get(id)?.revision;
      try {
        return await change();
      } catch (error) {
        if (!isEventManagerError(error, 'revision_conflict')) throw error;
        const [entry] = await this.#state.get('subscription', [id]);
        // Whoever looks for what vanished finds it among what is known.
        if (!entry) throw notFound(id);
        // Not what is known by now: a look may have brought it while this one was refused.
        if (tried === entry.revision) throw error;
        this.#remember(entry);
      }
    }
  }

  /** What this process knows and the store does not take yet; whatever it is changed to next takes its place. */
  foresee(definition: SubscriptionDefinition): void {
    const known = this.#known.get(definition.id);
    if (known) this.#keep(definition, known.revision);
  }

  /** Deletes a durable subscription together with `more`. */
  async remove(id: string, more: readonly StateChange[]): Promise<void> {
    await this.#state.commit([{ kind: 'subscription', key: id }, ...more]);
    this.#forget(id);
    this.#changed.add(id);
  }

  #set(definition: SubscriptionDefinition, revision: number): void {
    this.#keep(definition, revision);
    this.#changed.add(definition.id);
  }

  /** What did not change stays the same object: so it can be told from what did. What was read may be older than what is known. */
  #remember(entry: StateEntry): void {
    if ((this.#known.get(entry.key)?.revision ?? 0) >= entry.revision) return;
    const definition = entry.value as unknown as SubscriptionDefinition;
    this.#keep(definition, entry.revision);
  }

  #keep(definition: SubscriptionDefinition, revision: number): void {
    const characters = charactersOf(definition);
    this.#characters += characters - (this.#known.get(definition.id)?.characters ?? 0);
    this.#known.set(definition.id, { definition, revision, characters });
  }

  #forget(id: string): void {
    this.#characters -= this.#known.get(id)?.characters ?? 0;
    this.#known.delete(id);
  }
}

/** When a definition is changed: never what it was, also where the clock stands or another process is ahead, since that tells changes apart. */
export function changedAtMs(before: SubscriptionDefinition, clock: Clock): number {
  return Math.max(clock.wallMs(), before.updatedAtMs + 1);
}

function notFound(id: string): EventManagerError {
  return new EventManagerError('subscription_not_found', 'No subscription with this id or name exists.', { id });
}

/** The id of a named subscription follows from its name, so that two processes cannot create it twice. */
export function namedSubscriptionId(name: string): string {
  return foreignEventId('event-manager/subscription', name);
}

/** True when attaching to `definition` under its name asks for the same thing. Where to start matters only the first time. */
export function sameRequest(definition: SubscriptionDefinition, request: SubscriptionRequest): boolean {
  const plain = ({
    topic,
    filter,
    context,
    sink,
    subscriber,
    options: { startFrom: _startFrom, ...options },
  }: SubscriptionRequest) =>
    JSON.stringify([topic, filter ?? null, context ?? null, sink, subscriber ?? null, sorted(options)]);
  return plain(definition) === plain(request);
}

/** By their names, without those that an earlier version kept though they change nothing. */
function sorted(options: object): object {
  const entries = Object.entries(options);
  const left = leftWithoutEffect((name) => entries.find(([key]) => key === name)?.[1], new Set());
  return Object.fromEntries(entries.filter(([key]) => !left.includes(key)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function charactersOf(definition: SubscriptionDefinition): number {
  return JSON.stringify(definition).length;
}
