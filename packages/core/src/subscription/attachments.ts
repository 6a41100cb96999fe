/**
 * The handlers and sockets of this process, by the subscription they are attached to. Several may share one: they are its
 * members (`sink/members.ts`). One that names itself is the same member when it comes again: it replaces the one it was,
 * which may be lost without anybody having noticed.
 */
import type { Sink } from '../contracts/sink.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Members } from '../sink/members.ts';
import { type Attached, isAttachable, type LeftReason, needsAttaching } from './attached.ts';
import type { HostedCalls } from './elsewhere/hosted-calls.ts';

/**
 * Every one is looked at when one joins, leaves or is handed something: ten thousand held up everybody else for seconds. Whoever
 * serves the subscription does that for those of all processes, so all of them count there; one that finds no room sits at its
 * own process, is named again every second, and gets its share when another one has left.
 */
const MEMBERS_MAX = 1_000;
const FULL_RETRY_AFTER_MS = 1_000;

export interface AttachmentsOptions {
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  /** For what closing says that nobody waits for. */
  readonly onFailure: (error: unknown) => void;
  /** What members of this process have in hand for owners elsewhere. */
  readonly hosted: () => Pick<HostedCalls, 'ended' | 'giveBack'> | undefined;
  /** Members of this process joined or left. */
  readonly onChanged: (id: string) => void;
}

/** Which of the members of this process one is, and since when: tells one that came again from the one it was. */
export interface Standing {
  readonly key: number;
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface MemberLeaves {
  readonly drainMs: number;
  /** The attempt inside which it was asked for: it ends by itself, and would wait for itself. */
  readonly caller?: unknown;
}

export class Attachments {
  readonly #options: AttachmentsOptions;
  readonly #members = new Map<string, Members<Attached>>();
  readonly #standings = new WeakMap<Attached, Standing>();
  #lastKey = 0;

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  /** Members of this process, of all subscriptions together. */
  get count(): number {
    let count = 0;
    for (const id of this.#members.keys()) count += this.ownOf(id).length;
    return count;
  }

  /** The subscriptions that somebody was attached to. */
  get ids(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The members of this process. */
  ownOf(id: string): readonly Attached[] {
    return this.#members.get(id)?.all.filter(({ at }) => at === undefined) ?? [];
  }

  standingOf(attached: Attached): Standing {
    return this.#standings.get(attached)!;
  }

  of(id: string): Members<Attached> | undefined {
    return this.#members.get(id);
  }

  has(id: string): boolean {
    return this.#members.get(id)?.isUp === true;
  }

  /** What `attached` replaced is given back at once. Throws `overloaded` when there are as many as there may be. */
  join(id: string, attached: Attached, sinceMs = this.#options.runtime.clock.wallMs()): void {
    const members = this.#members.get(id) ?? this.#first(id);
    const { member } = attached;
    if (!this.#standings.has(attached)) this.#standings.set(attached, { key: ++this.#lastKey, sinceMs });
    const before = member === undefined ? undefined : members.find((other) => other.member === member);
    if (!before) assertRoom(members);
    const calls = before && members.leave(before);
    members.join(attached);
    this.route(id);
    const active = this.#options.dispatch.active.get(id);
    if (calls && active) this.#options.dispatch.dispatcher.giveBack(active, new Set(calls));
    if (before) this.#replaced(before);
    if (attached.at === undefined) this.#options.onChanged(id);
  }

  /** Another process has the same member by now. */
  evict(id: string, attached: Attached): void {
    if (!this.#members.get(id)?.has(attached)) return;
    this.#members.get(id)!.leave(attached);
    this.route(id);
    this.#replaced(attached);
  }

  #replaced(before: Attached): void {
    const { hosted, onFailure } = this.#options;
    hosted()?.giveBack(before);
    before.onLeft?.('taken_over');
    before.sink.close().catch(onFailure);
  }

  /**
   * One of them leaves: it is given nothing more, and finishes what it has. What has not ended after `drainMs` is given back.
   */
  async leave(id: string, attached: Attached, { drainMs, caller }: MemberLeaves): Promise<void> {
    const { dispatch, runtime } = this.#options;
    const members = this.#members.get(id);
    if (!members?.has(attached)) return;
    const left = members.leave(attached);
    const active = dispatch.active.get(id);
    active?.linger(new Set(left));
    this.route(id);
    if (attached.at === undefined) this.#options.onChanged(id);
    const calls = left.filter((call) => call !== caller);
    if (active && calls.length > 0) {
      const { dispatcher } = dispatch;
      const giveBack = () => dispatcher.giveBack(active, new Set(calls));
      const cancel = drainMs > 0 ? runtime.timers.after(drainMs, giveBack, true) : giveBack();
      await dispatcher.idle(active, () => calls.every((call) => call.isUnderWay === false));
      cancel?.();
    }
    await this.#options.hosted()?.ended(attached, drainMs, caller);
    await attached.sink.close();
  }

  /** All leave; `reason` is told to those who did not ask for it. */
  remove(id: string, reason: LeftReason | undefined): Members<Attached> | undefined {
    const members = this.#members.get(id);
    this.#members.delete(id);
    for (const member of members?.all ?? []) {
      this.#options.hosted()?.giveBack(member);
      if (reason !== undefined) member.onLeft?.(reason);
    }
    if (members) this.#options.onChanged(id);
    return members;
  }

  /** Has the engine deliver through the members as they are now. */
  route(id: string): void {
    const { dispatch } = this.#options;
    const active = dispatch.active.get(id);
    const members = this.#members.get(id);
    if (!active || !members) return;
    const { definition } = active;
    const { size } = members;
    if (needsAttaching(definition)) {
      // Until somebody joins, or the last one has left, nothing is attempted: nobody need wait for it.
      active.receive(size > 0 ? members.wayOut() : active.sink, size);
      if (size === 0) dispatch.serving.releasePublishers(active);
    } else {
      // What also goes on without members asks them by itself.
      active.receive(active.sink, isAttachable(definition) ? Math.max(1, size) : 1);
    }
    dispatch.dispatcher.wake(active);
  }

  /** The members as one of two ways of a subscription, whether or not there are any now. */
  standing(id: string): Sink {
    return (this.#members.get(id) ?? this.#first(id)).standing();
  }

  #first(id: string): Members<Attached> {
    const members = new Members<Attached>(() => this.#active(id)?.underWay() ?? []);
    this.#members.set(id, members);
    return members;
  }

  #active(id: string): ActiveSubscription | undefined {
    return this.#options.dispatch.active.get(id);
  }
}

function assertRoom({ size }: Members<Attached>): void {
  if (size < MEMBERS_MAX) return;
  const details = { limit: 'members', maximum: MEMBERS_MAX, retryAfterMs: FULL_RETRY_AFTER_MS };
  throw new EventManagerError('overloaded', `${MEMBERS_MAX} members share this subscription already.`, details);
}
