import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import type { Letter } from '../../peers/envelope.ts';
import { numberOf, textOf } from '../../peers/letter-fields.ts';
import type { Peers } from '../../peers/peers.ts';
import type { Attached } from '../attached.ts';
import type { Attachments } from '../attachments.ts';

/** In one letter, beside the numbers of all: a thousand members may have long names. */
const NAMED_MAX = 100;

export interface AnnouncementsOptions {
  readonly peers: Peers;
  readonly attachments: Attachments;
  readonly dispatch: PartitionDispatch;
  /** The process that serves a subscription, as far as is known here. */
  readonly holderOf: (subscriptionId: string) => string | undefined;
  /** Subscriptions that this process would serve better than others, whether or not somebody is attached. */
  readonly wishes: () => readonly string[];
}

/** Names the members of this process to the owners of their subscriptions: every second, and when one joins or leaves. */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  /** Whom members were named to. */
  readonly #told = new Map<string, string>();

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
    options.peers.on('replaced', (letter) => this.#onReplaced(letter));
  }

  /** True while members of this process are served from elsewhere. */
  get isSome(): boolean {
    return this.#told.size > 0;
  }

  tellAll(): void {
    for (const id of new Set([...this.#options.attachments.ids, ...this.#told.keys()])) this.tell(id);
    for (const id of this.#options.wishes()) this.#wish(id);
  }

  tell(id: string): void {
    const { peers, attachments, dispatch, holderOf } = this.#options;
    const own = attachments.ownOf(id);
    const before = this.#told.get(id);
    const owner = dispatch.active.has(id) ? undefined : peers.peer(holderOf(id) ?? before)?.name;
    if (before !== undefined && (own.length === 0 || owner !== before)) {
      this.#told.delete(id);
      if (own.length === 0) peers.post({ kind: 'members', subscription: id, keys: [], members: [] }, before);
    }
    if (own.length === 0 || owner === undefined) return;
    this.#told.set(id, owner);
    const keys = own.map((attached) => attachments.standingOf(attached).key);
    for (let at = 0; at < own.length; at += NAMED_MAX) {
      const members = own.slice(at, at + NAMED_MAX).map((attached) => this.#nameOf(attached));
      peers.post({ kind: 'members', subscription: id, keys, members }, owner);
    }
  }

  /** The member with this number, if it is attached here. */
  memberOf(id: string, key: number): Attached | undefined {
    const { attachments } = this.#options;
    return attachments.ownOf(id).find((attached) => attachments.standingOf(attached).key === key);
  }

  #wish(id: string): void {
    const { peers, dispatch, holderOf } = this.#options;
    const owner = holderOf(id);
    if (owner !== undefined && !dispatch.active.has(id)) peers.post({ kind: 'wish', subscription: id }, owner);
  }

  #nameOf(attached: Attached) {
    const { key, sinceMs } = this.#options.attachments.standingOf(attached);
    const { member, sink } = attached;
    return { key, sinceMs, ...(member === undefined ? {} : { member }), ...(sink.single ? { single: true } : {}) };
  }

  #onReplaced(letter: Letter): void {
    const id = textOf(letter, 'subscription');
    const attached = this.memberOf(id, numberOf(letter, 'member'));
    if (attached) this.#options.attachments.evict(id, attached);
  }
}
