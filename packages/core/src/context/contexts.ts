/**
 * The contexts of subscribers: register, look at, list, remove. Each is one state record under the name of its subscriber, read
 * once at the start; a filter finds it in a cell, so what changes holds for the next event that is claimed.
 *
 * Processes that share a store learn of changes like this: every commit that changes a context also writes the `version`
 * record, whose revision is the only thing that a look asks for. When it is another one than at the last reading, all
 * contexts are read again. What this process commits itself it knows already, and reads again once at the next look, because
 * somebody else's may be later. So a look costs one record however many contexts there are.
 */
import type { StateChange, StateStore } from '../contracts/state-store.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import type { Clock } from '../runtime/clock.ts';
import { statePages } from '../state-pages.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { SubscriberContext } from './context.ts';
import { type ContextCell, type KnownContext, knownContext, NO_CONTEXT } from './context-cell.ts';
import { parseContext, readSubscriber } from './parse-context.ts';

const VERSION_KEY = 'version';
const PREFIX = 'of/';
/** No revision is below 0. */
const UNREAD = -1;

type Kept = Omit<SubscriberContext, 'subscriber'>;

interface Registered {
  readonly context: SubscriberContext;
  readonly known: KnownContext;
}

export interface ContextsOptions {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly limits: Limits;
  /** A failure that no caller is there to hear of. */
  readonly onFailure: (error: unknown) => void;
}

export interface ContextsPage {
  readonly contexts: readonly SubscriberContext[];
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
}

export class Contexts {
  readonly #options: ContextsOptions;
  readonly #registered = new Map<string, Registered>();
  readonly #refreshing: OneAtATime;
  /** Changed here since the reading under way began: what it read may be older. */
  readonly #changed = new Set<string>();
  /** On their way into the store. */
  readonly #coming = new Set<string>();
  #revisionRead = UNREAD;

  constructor(options: ContextsOptions) {
    this.#options = options;
    this.#refreshing = new OneAtATime(
      () => this.#refresh(),
      (error) => {
        // The store may be away for a moment; the next hint or look asks again.
        if (!isEventManagerError(error)) options.onFailure(error);
      },
    );
  }

  get count(): number {
    return this.#registered.size;
  }

  async start(): Promise<void> {
    await this.#refresh();
  }

  /** Somebody else may have changed something. */
  poke(): void {
    this.#refreshing.poke();
  }

  async stop(): Promise<void> {
    await this.#refreshing.stop();
  }

  /** Where the filter of a subscription finds whom it works for: its own context, or the one that its subscriber registers. */
  cellOf({ context, subscriber }: Pick<SubscriptionDefinition, 'context' | 'subscriber'>): ContextCell {
    if (context) return { current: knownContext(context) };
    return subscriber === undefined ? NO_CONTEXT : this.#cell(subscriber);
  }

  /**
   * Registers the context of a subscriber in place of the one before. Resolves when it is durable; the next event that is claimed
   * is judged by it. Throws `invalid_context`, `too_many_contexts`.
   */
  async register(_principal: Principal, subscriber: string, input: unknown): Promise<SubscriberContext> {
    const { limits, clock } = this.#options;
    readSubscriber(subscriber, limits);
    const context = parseContext(input, limits, { pointer: '', code: 'invalid_context' });
    if (context === undefined) {
      const words = 'A context has userIds, projectIds or sessionIds; empty lists say that nothing is relevant.';
      throw new EventManagerError('invalid_context', words, { pointer: '' });
    }
    this.#assertRoom(subscriber);
    const kept: Kept = { ...context, updatedAt: new Date(clock.wallMs()).toISOString() };
    this.#coming.add(subscriber);
    try {
      await this.#commit({ kind: 'context', key: PREFIX + subscriber, value: kept as unknown as JsonValue });
    } finally {
      this.#coming.delete(subscriber);
    }
    const registered = { subscriber, ...kept };
    this.#changedHere(subscriber, registered);
    return registered;
  }

  /** Throws `context_not_found`, `invalid_context`. */
  get(_principal: Principal, subscriber: string): SubscriberContext {
    readSubscriber(subscriber, this.#options.limits);
    const registered = this.#registered.get(subscriber);
    if (registered) return registered.context;
    throw new EventManagerError('context_not_found', 'This subscriber has registered no context.', { subscriber });
  }

  /** By the names of their subscribers. */
  list(principal: Principal): readonly SubscriberContext[] {
    return this.page(principal, { limit: this.#registered.size }).contexts;
  }

  /** A page of the list. */
  page(_principal: Principal, { after = '', limit }: { after?: string | undefined; limit: number }): ContextsPage {
    const names = [...this.#registered.keys()].filter((name) => name > after).sort();
    const contexts = names.slice(0, limit).map((name) => this.#registered.get(name)!.context);
    return names.length > limit ? { contexts, next: names[limit - 1]! } : { contexts };
  }

  /** From the next claim on the subscriber is one without a context. Throws `context_not_found`, `invalid_context`. */
  async remove(principal: Principal, subscriber: string): Promise<void> {
    this.get(principal, subscriber);
    await this.#commit({ kind: 'context', key: PREFIX + subscriber });
    this.#changedHere(subscriber, undefined);
  }

  async #commit(change: StateChange): Promise<void> {
    await this.#options.state.commit([change, { kind: 'context', key: VERSION_KEY, value: true }]);
  }

  #assertRoom(subscriber: string): void {
    const { contextsMax } = this.#options.limits;
    if (this.#registered.has(subscriber)) return;
    if (this.#registered.size + this.#coming.size < contextsMax) return;
    const words = `There are ${contextsMax} contexts already.`;
    throw new EventManagerError('too_many_contexts', words, { limit: 'contextsMax', maximum: contextsMax });
  }

  async #refresh(): Promise<void> {
    const { state } = this.#options;
    const [version] = await state.get('context', [VERSION_KEY]);
    const revision = version?.revision ?? 0;
    if (revision === this.#revisionRead) return;
    this.#changed.clear();
    const found = new Map<string, SubscriberContext>();
    for await (const page of statePages(state, 'context', PREFIX)) {
      for (const { key, value } of page) {
        const subscriber = key.slice(PREFIX.length);
        found.set(subscriber, { subscriber, ...(value as unknown as Kept) });
      }
    }
    for (const subscriber of new Set([...this.#registered.keys(), ...found.keys()])) {
      if (!this.#changed.has(subscriber)) this.#set(subscriber, found.get(subscriber));
    }
    this.#revisionRead = this.#changed.size === 0 ? revision : UNREAD;
  }

  /** Another process may have been later: the next look reads all of them again. */
  #changedHere(subscriber: string, context: SubscriberContext | undefined): void {
    this.#set(subscriber, context);
    this.#changed.add(subscriber);
    this.#revisionRead = UNREAD;
  }

  #cell(subscriber: string): ContextCell {
    const registered = this.#registered;
    return {
      get current() {
        return registered.get(subscriber)?.known;
      },
    };
  }

  #set(subscriber: string, context: SubscriberContext | undefined): void {
    if (context) this.#registered.set(subscriber, { context, known: knownContext(context) });
    else this.#registered.delete(subscriber);
  }
}
