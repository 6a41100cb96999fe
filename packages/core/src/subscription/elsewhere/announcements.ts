import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import type { Letter } from '../../peers/envelope.ts';
import { numberOf, textOf } from '../../peers/letter-fields.ts';
import type { Peers } from '../../peers/peers.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Attached } from '../attached.ts';
import type { Attachments } from '../attachments.ts';

/** In one letter, beside the numbers of all: a thousand members may have long names. */
const NAMED_MAX = 100;
/** Members that come and go one after the other are told of together, the first of them at once. */
const CHANGES_EVERY_MS = 50;
/** A look comes once a second, and more often where much changes. */
const ALL_EVERY_MS = 500;

export interface AnnouncementsOptions {
  readonly peers: Peers;
  readonly runtime: Runtime;
  readonly attachments: Attachments;
  readonly dispatch: PartitionDispatch;
  /** The process that serves a subscription, as far as is known here. */
  readonly holderOf: (subscriptionId: string) => string | undefined;
  /** Subscriptions that this process would serve better than others, whether or not somebody is attached. */
  readonly wishes: () => readonly string[];
}

/** Whom the members of a subscription were named to. */
interface Told {
  readonly owner: string;
  /** When all of them were. */
  readonly allAtMs: number;
  readonly keys: ReadonlySet<number>;
}

/**
 * Names the members of this process to the owners of their subscriptions: all of them once a second, which makes up for letters
 * that were lost, and between that those that came, beside the numbers of all that are there. So what many joins cost grows
 * with their number and not with its square.
 */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  readonly #told = new Map<string, Told>();
  /** Subscriptions that a member joined or left since that was told. */
  readonly #changed = new Set<string>();
  #changesToldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
    options.peers.on('replaced', (letter) => this.#onReplaced(letter));
  }

  /** True while members of this process are served from elsewhere. */
  get isSome(): boolean {
    return this.#told.size > 0;
  }

  /** After a look at the leases. */
  tellAll(): void {
    const sinceMs = this.#nowMs() - ALL_EVERY_MS;
    for (const id of new Set([...this.#options.attachments.ids, ...this.#told.keys()])) {
      const told = this.#told.get(id);
      if (told === undefined || told.allAtMs <= sinceMs || told.owner !== this.#ownerOf(id)) this.#tell(id, 'all');
    }
    for (const id of this.#options.wishes()) this.#wish(id);
  }

  /** A member joined or left. */
  changed(id: string): void {
    this.#changed.add(id);
    if (this.#changed.size > 1) return;
    const waitMs = Math.max(0, this.#changesToldAtMs + CHANGES_EVERY_MS - this.#nowMs());
    this.#options.runtime.timers.after(waitMs, () => this.#tellChanges());
  }

  #tellChanges(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#changesToldAtMs = this.#nowMs();
    for (const id of changed) this.#tell(id, 'new');
  }

  #tell(id: string, which: 'all' | 'new'): void {
    const { peers, attachments } = this.#options;
    const own = attachments.ownOf(id);
    const before = this.#told.get(id);
    const owner = this.#ownerOf(id);
    if (before && (own.length === 0 || owner !== before.owner)) {
      this.#told.delete(id);
      if (own.length === 0) peers.post({ kind: 'members', subscription: id, keys: [], members: [] }, before.owner);
    }
    if (own.length === 0 || owner === undefined) return;
    const known = which === 'new' && before?.owner === owner ? before : undefined;
    const keys = own.map((attached) => attachments.standingOf(attached).key);
    const named = known ? own.filter((_attached, at) => !known.keys.has(keys[at]!)) : own;
    // A new owner may not serve it yet, and passes over what it is told: it is told once more at the next look.
    const allAtMs = known?.allAtMs ?? (before?.owner === owner ? this.#nowMs() : Number.NEGATIVE_INFINITY);
    this.#told.set(id, { owner, allAtMs, keys: new Set(keys) });
    // One that only left is told by the numbers of the others.
    for (let at = 0; at === 0 || at < named.length; at += NAMED_MAX) {
      const members = named.slice(at, at + NAMED_MAX).map((attached) => this.#nameOf(attached));
      peers.post({ kind: 'members', subscription: id, keys, members }, owner);
    }
  }

  /** The other process that serves it, if it lives. */
  #ownerOf(id: string): string | undefined {
    const { peers, dispatch, holderOf } = this.#options;
    return dispatch.active.has(id) ? undefined : peers.peer(holderOf(id) ?? this.#told.get(id)?.owner)?.name;
  }

  #nowMs(): number {
    return this.#options.runtime.clock.monotonicMs();
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
