/**
 * Which process should serve a subscription, where several could. The lease decides who does; this decides who asks for it,
 * and who gives it back for somebody else.
 *
 * - One that needs somebody attached is for processes where somebody is; one that somebody is attached to and that can do
 *   without (a fallback, an enricher), for those rather than others.
 * - All others are shared evenly: of `n` over `live` processes each has `floor(n / live)`, and the first `n mod live` by name
 *   one more. All know the same numbers, so they agree without asking. What is too much is given back only while somebody has
 *   room, a number at a time, and idle ones first: what is under way ends before, and nothing begins meanwhile.
 *
 * What is leased to a consumer that pulls is not given back for the sake of a number: its tokens would be worth nothing.
 */
import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';
import type { Wanted } from '../../dispatch/leases.ts';
import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import type { Letter } from '../../peers/envelope.ts';
import { textOf } from '../../peers/letter-fields.ts';
import { GONE_AFTER_MS, type Peers } from '../../peers/peers.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isAttachable, needsAttaching } from '../attached.ts';
import type { Attachments } from '../attachments.ts';
import type { Catalog } from '../catalog.ts';
import type { SubscriptionDefinition } from '../subscription.ts';
import type { RemoteMembers } from './remote-members.ts';

const GIVEN_BACK_MAX = 128;
/** How long one that was given back for a process is left to it. */
const RESERVED_MS = 3_000;

export interface PlacementOptions {
  readonly peers: Peers;
  readonly remote: RemoteMembers;
  readonly catalog: Catalog;
  readonly attachments: Attachments;
  readonly dispatch: PartitionDispatch;
  readonly clock: Clock;
  readonly isHeld: (subscriptionId: string) => boolean;
  /** This process makes what is sent instead of its events. */
  readonly isEnriched: (subscriptionId: string) => boolean;
  /** Gives one back when what is under way has ended; `to` is who should take it. */
  readonly giveBack: (subscriptionId: string, to: string | undefined) => void;
  /** Somebody gave something back. */
  readonly onFree: () => void;
}

export class Placement {
  readonly #options: PlacementOptions;
  /** Until when a subscription is left to another process. */
  readonly #reserved = new Map<string, number>();
  /** Who said that it would serve a subscription better, and when. */
  readonly #wishes = new Map<string, { readonly by: string; readonly atMs: number }>();

  constructor(options: PlacementOptions) {
    const { peers, clock, onFree } = options;
    this.#options = options;
    peers.on('reserved', (letter) => this.#onReserved(letter));
    peers.on('free', (letter) => {
      this.#onReserved(letter);
      onFree();
    });
    peers.on('wish', (letter, from) => {
      const id = textOf(letter, 'subscription');
      this.#wishes.set(id, { by: from.name, atMs: clock.monotonicMs() });
      this.review(id);
    });
  }

  /** How many this process has of those that are shared. */
  get held(): number {
    return this.#shared().filter(({ id }) => this.#options.isHeld(id)).length;
  }

  wantedOf(definition: SubscriptionDefinition): Wanted | undefined {
    const { id } = definition;
    if (this.#isBestHere(definition)) return { id, best: 'here' };
    if (needsAttaching(definition)) return undefined;
    return { id, best: (this.#reserved.get(id) ?? 0) > this.#options.clock.monotonicMs() ? 'elsewhere' : 'anywhere' };
  }

  /** How many more of the shared ones are for this process. */
  get room(): number {
    const { peers } = this.#options;
    return Math.max(0, this.#shareOf(peers.self, this.#shared().length) - this.held);
  }

  /** Of those that everybody left to others: by chance, and the same for all who know the same processes. */
  isNext(id: string): boolean {
    const { live, self } = this.#options.peers;
    return live[hashOf(id) % live.length] === self;
  }

  /** It is about to be given back for another process: everybody else leaves it alone. */
  reserveFor(id: string, to: string): void {
    this.#options.peers.post({ kind: 'reserved', subscription: id, to });
    this.#reserve(id);
  }

  /** Gives back what is too much, and what others would serve better. */
  reviewAll(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, untilMs] of this.#reserved) if (untilMs <= nowMs) this.#reserved.delete(id);
    for (const [id, { atMs }] of this.#wishes) if (nowMs - atMs >= GONE_AFTER_MS) this.#wishes.delete(id);
    for (const id of this.#options.dispatch.active.keys()) this.review(id);
    this.#giveBackSurplus();
  }

  review(id: string): void {
    const { dispatch, giveBack } = this.#options;
    const active = dispatch.active.get(id);
    if (!active?.held || !active.isServing || this.#isBestHere(active.definition)) return;
    const to = this.#betterAt(active);
    if (to !== undefined) giveBack(id, to);
  }

  #onReserved(letter: Letter): void {
    const { to } = letter;
    if (typeof to === 'string' && to !== this.#options.peers.self) this.#reserve(textOf(letter, 'subscription'));
  }

  #reserve(id: string): void {
    this.#reserved.set(id, this.#options.clock.monotonicMs() + RESERVED_MS);
  }

  #betterAt({ id, definition }: ActiveSubscription): string | undefined {
    const { remote, peers, clock } = this.#options;
    if (isAttachable(definition)) return remote.processesOf(id)[0];
    const wish = this.#wishes.get(id);
    if (!wish) return undefined;
    if (peers.peer(wish.by) && clock.monotonicMs() - wish.atMs < GONE_AFTER_MS) return wish.by;
    this.#wishes.delete(id);
    return undefined;
  }

  #isBestHere(definition: SubscriptionDefinition): boolean {
    const { attachments, isEnriched } = this.#options;
    if (isAttachable(definition)) return attachments.ownOf(definition.id).length > 0;
    return isEnriched(definition.id);
  }

  #giveBackSurplus(): void {
    const { peers, dispatch, giveBack } = this.#options;
    const shared = this.#shared();
    const surplus = this.held - this.#shareOf(peers.self, shared.length);
    if (surplus <= 0) return;
    let room = 0;
    for (const { name, facts } of peers.others) {
      const { held } = facts;
      if (typeof held === 'number') room += Math.max(0, this.#shareOf(name, shared.length) - held);
    }
    const candidates = shared
      .filter((definition) => !this.#isBestHere(definition))
      .flatMap(({ id }) => dispatch.active.get(id) ?? [])
      .filter((active) => active.held && active.isServing && mayLeave(active));
    const idleFirst = candidates.toSorted((a, b) => Number(b.isIdle()) - Number(a.isIdle()));
    for (const { id } of idleFirst.slice(0, Math.min(surplus, room, GIVEN_BACK_MAX))) giveBack(id, undefined);
  }

  #shareOf(name: string, count: number): number {
    const { live } = this.#options.peers;
    const rank = live.indexOf(name);
    return Math.floor(count / live.length) + (rank < count % live.length ? 1 : 0);
  }

  #shared(): SubscriptionDefinition[] {
    const { catalog } = this.#options;
    return catalog.list().filter((definition) => catalog.isDurable(definition.id) && !needsAttaching(definition));
  }
}

function mayLeave(active: ActiveSubscription): boolean {
  return active.definition.sink.kind !== 'pull' || active.isIdle();
}

/** FNV-1a: the same in all processes. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
