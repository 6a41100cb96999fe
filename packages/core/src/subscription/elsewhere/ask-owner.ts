import type { StateStore } from '../../contracts/state-store.ts';
import { resourceOf } from '../../dispatch/leases.ts';
import { EventManagerError, isEventManagerError } from '../../errors/event-manager-error.ts';
import type { JsonObject } from '../../json.ts';
import type { Peers } from '../../peers/peers.ts';
import { type AskOptions, type Reply, type Requests, unanswered } from '../../peers/requests.ts';

export interface AskOwnerOptions {
  readonly peers: Peers;
  readonly requests: Requests;
  readonly state: StateStore;
}

const REMEMBERED_MAX = 10_000;

/** Asks the process that serves a subscription. Who that is the leases say; it is remembered until it is wrong. */
export class AskOwner {
  readonly #options: AskOwnerOptions;
  readonly #owners = new Map<string, string>();

  constructor(options: AskOwnerOptions) {
    this.#options = options;
  }

  /** `undefined` when nobody serves it. Throws what the owner throws, and `unreachable` when it does not answer. */
  async ask(id: string, what: string, request: JsonObject, options: AskOptions): Promise<Reply | undefined> {
    const remembered = this.#owners.get(id);
    const first = this.#options.peers.peer(remembered)?.name ?? (await this.ownerOf(id));
    if (first === undefined) return undefined;
    const answer = await this.#askOne(first, id, what, request, options);
    if (answer) return answer;
    const second = await this.ownerOf(id);
    return second === undefined || second === first
      ? undefined
      : await this.#askOne(second, id, what, request, options);
  }

  /**
   * The process that has the lease: asked of the store. Throws `unreachable` when that is not heard of, as one that is gone and
   * one that was there before this process: nobody here knows what it would say.
   */
  async ownerOf(id: string): Promise<string | undefined> {
    const { peers, state } = this.#options;
    const [holder] = await state.holders([resourceOf(id)]);
    this.#owners.delete(id);
    if (holder === undefined || holder === peers.self) return undefined;
    if (!peers.peer(holder)) throw unanswered(holder);
    if (this.#owners.size >= REMEMBERED_MAX) this.#owners.clear();
    this.#owners.set(id, holder);
    return holder;
  }

  /** `undefined` when it does not serve it. */
  async #askOne(
    to: string,
    id: string,
    what: string,
    request: JsonObject,
    options: AskOptions,
  ): Promise<Reply | undefined> {
    try {
      return await this.#options.requests.ask(to, what, { ...request, subscription: id }, options);
    } catch (error) {
      this.#owners.delete(id);
      if (isEventManagerError(error, 'not_ready')) return undefined;
      throw error;
    }
  }
}

/** What is answered by a process that does not serve it. */
export function notServedHere(id: string): EventManagerError {
  return new EventManagerError('not_ready', 'Another process serves this subscription now.', { id });
}
