/**
 * The handlers and sockets that share one subscription.
 *
 *     join ──▶ present ──leave──▶ leaving, with what it has under way ──answered, or given back──▶ gone
 *
 * A delivery goes to the present member with the fewest calls under way that is up, in turn among equals. Each member may have as many
 * calls under way as the subscription's `maxConcurrency`, and the engine keeps `size` times that many slots: so whenever a
 * slot is free, the member with the fewest has room, and one that is slow fills its own slots and nobody else's.
 *
 * What a member has under way is read from the attempts themselves, which the engine keeps in any case: a call that was
 * answered, or given up and over, is not counted any more. A member that is alone is not even noted: then the engine is
 * handed its own sink (`wayOut`), and what is under way when a second one joins is all its own.
 */
import type { DeliverOptions, Delivery, Outcome, Sink } from '../contracts/sink.ts';

/** An attempt as its sink is given it. */
export type Call = DeliverOptions;

interface Present<Member> {
  readonly member: Member;
  /** Under way, and some that have ended meanwhile. */
  calls: Call[];
}

/** Nobody is there, or all of them are lost and about to be told so: in a moment there is somebody, or another way. */
const NOBODY: Outcome = { status: 'busy', afterMs: 100 };

export class Members<Member extends { readonly sink: Sink }> implements Sink {
  /** True when one of them takes one delivery in a call: a batch is made before anybody knows for whom. */
  single = false;
  readonly #underWay: () => Iterable<Call>;
  #present: Present<Member>[] = [];
  /** Of those that left: as long as they are not over they are nobody else's. */
  #leaving: (readonly Call[])[] = [];
  #next = 0;
  /** The one member is called without us. */
  #isDirect = false;
  #onChange: () => void = () => {};

  /** `underWay` says what attempts the subscription has under way, whosever they are. */
  constructor(underWay: () => Iterable<Call>) {
    this.#underWay = underWay;
  }

  get size(): number {
    return this.#present.length;
  }

  get isUp(): boolean {
    return this.#present.length > 0;
  }

  /** In the order of joining. */
  get all(): readonly Member[] {
    return this.#present.map(({ member }) => member);
  }

  has(member: Member): boolean {
    return this.#present.some((present) => present.member === member);
  }

  find(isWanted: (member: Member) => boolean): Member | undefined {
    return this.#present.find(({ member }) => isWanted(member))?.member;
  }

  /** What the engine delivers through, as the members are now; to be asked for again when one joins or leaves. */
  wayOut(): Sink {
    this.#isDirect = this.#present.length === 1;
    return this.#isDirect ? this.#present[0]!.member.sink : this;
  }

  /** The same for a way out that also goes on without members. Closing it closes none of them. */
  standing(): Sink {
    this.#noteDirect();
    const members = this;
    return {
      get single() {
        return members.single;
      },
      get isUp() {
        return members.isUp;
      },
      watch: (onChange) => {
        members.#onChange = onChange;
      },
      deliver: (batch, options) => members.deliver(batch, options),
      close: async () => {},
    };
  }

  join(member: Member): void {
    this.#noteDirect();
    this.#present = [...this.#present, { member, calls: [] }];
    this.#judgeSingle();
    this.#onChange();
  }

  /** It is given nothing more. Returns what it has under way: to be waited for, or given back. */
  leave(member: Member): readonly Call[] {
    this.#noteDirect();
    const left = this.#present.find((present) => present.member === member);
    if (!left) return [];
    this.#present = this.#present.filter((present) => present !== left);
    this.#judgeSingle();
    const calls = left.calls.filter(isUnderWay);
    this.#leaving.push(calls);
    this.#onChange();
    return calls;
  }

  deliver(batch: readonly Delivery[], options: DeliverOptions): readonly Outcome[] | Promise<readonly Outcome[]> {
    const present = this.#idlest();
    if (!present) return batch.map(() => NOBODY);
    present.calls.push(options);
    return present.member.sink.deliver(batch, options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#present.map(({ member }) => member.sink.close()));
  }

  #idlest(): Present<Member> | undefined {
    const count = this.#present.length;
    let idlest: Present<Member> | undefined;
    let at = 0;
    for (let ahead = 0; ahead < count; ahead++) {
      const index = (this.#next + ahead) % count;
      const present = this.#present[index]!;
      forgetEnded(present.calls);
      if (present.member.sink.isUp === false) continue;
      if (idlest && present.calls.length >= idlest.calls.length) continue;
      idlest = present;
      at = index;
    }
    this.#next = at + 1;
    return idlest;
  }

  /** From here on it is noted what the one has that was alone. */
  #noteDirect(): void {
    this.#leaving = this.#leaving.filter((calls) => calls.some(isUnderWay));
    if (!this.#isDirect) return;
    this.#isDirect = false;
    const others = new Set(this.#leaving.flat());
    this.#present[0]!.calls = [...this.#underWay()].filter((call) => !others.has(call));
  }

  #judgeSingle(): void {
    this.single = this.#present.some(({ member }) => member.sink.single === true);
  }
}

/** In place: a list of its own for each delivery would be garbage. */
function forgetEnded(calls: Call[]): void {
  let kept = 0;
  for (const call of calls) if (isUnderWay(call)) calls[kept++] = call;
  calls.length = kept;
}

/** Whoever calls without an engine says nothing, and is believed. */
function isUnderWay(call: Call): boolean {
  return call.isUnderWay !== false;
}
