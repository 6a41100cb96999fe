/**
 * Members of other processes, at the process that serves their subscription: each is attached here like one of its own, with a
 * sink whose calls travel.
 *
 *     unknown ──`members` names it──▶ attached ──named no more, or no word for 5 s──▶ left, what it had is given back
 *
 * A process with members of a subscription names all of them to the owner every second and at each change, so a letter that was
 * lost is made up for by the next one. One that is the same member as one that is here, by the name that it gave itself, takes
 * its place if it came later; else it is the one that was replaced, and is told so.
 */
import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';
import { leaseClockMs } from '../../dispatch/leases.ts';
import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import { isEventManagerError } from '../../errors/event-manager-error.ts';
import type { JsonObject } from '../../json.ts';
import type { Letter } from '../../peers/envelope.ts';
import { numberOf, numbersOf, objectsOf, textOf } from '../../peers/letter-fields.ts';
import { GONE_AFTER_MS, type Peer, type Peers } from '../../peers/peers.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Attached } from '../attached.ts';
import type { Attachments } from '../attachments.ts';
import type { RemoteCalls } from './remote-calls.ts';
import { RemoteSink } from './remote-sink.ts';

/** What a member that was named no more may finish: its own process gives back what takes longer. */
const LEAVING_MS = 60_000;

export interface RemoteMembersOptions {
  readonly peers: Peers;
  readonly calls: RemoteCalls;
  readonly attachments: Attachments;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  /** Members of another process came. */
  readonly onJoined: (subscriptionId: string) => void;
  readonly onFailure: (error: unknown) => void;
}

interface RemoteAttached extends Attached {
  readonly at: string;
  readonly sink: RemoteSink;
}

interface Group {
  readonly subscriptionId: string;
  readonly peer: Peer;
  readonly members: Map<number, RemoteAttached>;
  heardAtMs: number;
}

export class RemoteMembers {
  readonly #options: RemoteMembersOptions;
  /** By subscription, and then by process. */
  readonly #groups = new Map<string, Map<string, Group>>();

  constructor(options: RemoteMembersOptions) {
    const { peers } = options;
    this.#options = options;
    peers.on('members', (letter, from) => this.#onMembers(letter, from));
    peers.onGone((peer) => this.#gone(peer));
    peers.onBeat(() => this.#sweep());
  }

  /** Members of other processes, of all subscriptions together. */
  get count(): number {
    let count = 0;
    for (const groups of this.#groups.values()) for (const { members } of groups.values()) count += members.size;
    return count;
  }

  /** The processes that have members of a subscription, the one with the most first. */
  processesOf(subscriptionId: string): readonly string[] {
    const groups = [...(this.#groups.get(subscriptionId)?.values() ?? [])].filter(({ members }) => members.size > 0);
    return groups.toSorted((a, b) => b.members.size - a.members.size).map(({ peer }) => peer.name);
  }

  /** The subscription is not served here any more. */
  forget(subscriptionId: string): void {
    const groups = this.#groups.get(subscriptionId);
    this.#groups.delete(subscriptionId);
    for (const group of groups?.values() ?? []) this.#drop(group);
  }

  #onMembers(letter: Letter, from: Peer): void {
    const subscriptionId = textOf(letter, 'subscription');
    const active = this.#options.dispatch.active.get(subscriptionId);
    const isServed = active?.isServing && active.held;
    const group = this.#groups.get(subscriptionId)?.get(from.name) ?? (isServed && this.#first(subscriptionId, from));
    if (!group) return;
    // Also while it is being changed, when nobody may join.
    group.heardAtMs = this.#options.runtime.clock.monotonicMs();
    const present = new Set(numbersOf(letter, 'keys'));
    for (const member of objectsOf(letter, 'members')) if (isServed) this.#name(group, member, active);
    for (const [key, attached] of group.members) {
      if (present.has(key)) continue;
      group.members.delete(key);
      this.#leave(subscriptionId, attached, LEAVING_MS);
    }
    if (isServed) this.#options.onJoined(subscriptionId);
  }

  #first(subscriptionId: string, peer: Peer): Group {
    const groups = this.#groups.get(subscriptionId) ?? new Map<string, Group>();
    const group = { subscriptionId, peer, members: new Map<number, RemoteAttached>(), heardAtMs: 0 };
    this.#groups.set(subscriptionId, groups);
    groups.set(peer.name, group);
    return group;
  }

  #name(group: Group, member: JsonObject, { held }: ActiveSubscription): void {
    const { attachments, peers, calls, runtime } = this.#options;
    const { subscriptionId, peer } = group;
    const key = numberOf(member, 'key');
    const known = group.members.get(key);
    if (known) {
      known.sink.heard();
      return;
    }
    const sinceMs = numberOf(member, 'sinceMs');
    const name = typeof member['member'] === 'string' ? member['member'] : undefined;
    const replaced = () => peers.post({ kind: 'replaced', subscription: subscriptionId, member: key }, peer.name);
    const present = name === undefined ? undefined : attachments.of(subscriptionId)?.find((one) => one.member === name);
    if (present && attachments.standingOf(present).sinceMs >= sinceMs) {
      replaced();
      return;
    }
    const sink = new RemoteSink({
      calls,
      member: { subscriptionId, to: peer.name, key },
      single: member['single'] === true,
      validMs: () => (held ? held.expiresAtMs - leaseClockMs(runtime) : 0),
    });
    const attached: RemoteAttached = {
      sink,
      at: peer.name,
      member: name,
      onLeft: (reason) => {
        group.members.delete(key);
        if (reason === 'taken_over') replaced();
      },
    };
    group.members.set(key, attached);
    try {
      attachments.join(subscriptionId, attached, sinceMs);
    } catch (error) {
      group.members.delete(key);
      // There are as many as may be; it is named again, and there may be room then.
      if (!isEventManagerError(error, 'overloaded')) throw error;
    }
  }

  #gone({ name }: Peer): void {
    for (const groups of this.#groups.values()) {
      const group = groups.get(name);
      if (!group) continue;
      groups.delete(name);
      this.#drop(group);
    }
  }

  #sweep(): void {
    const sinceMs = this.#options.runtime.clock.monotonicMs() - GONE_AFTER_MS;
    for (const groups of this.#groups.values()) {
      for (const [name, group] of groups) {
        if (group.heardAtMs >= sinceMs) continue;
        groups.delete(name);
        this.#drop(group);
      }
    }
  }

  #drop({ subscriptionId, members }: Group): void {
    const leaving = [...members.values()];
    members.clear();
    for (const attached of leaving) this.#leave(subscriptionId, attached, 0);
  }

  #leave(subscriptionId: string, attached: RemoteAttached, drainMs: number): void {
    this.#options.attachments.leave(subscriptionId, attached, { drainMs }).catch(this.#options.onFailure);
  }
}
