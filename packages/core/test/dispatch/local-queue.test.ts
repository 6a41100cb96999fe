import type { JsonObject, Lane, StateChange } from '@event-manager/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claimed } from '../../src/dispatch/claimed.ts';
import { LocalQueue } from '../../src/dispatch/local-queue.ts';
import { Owed } from '../../src/dispatch/owed.ts';
import { queueKeys } from '../../src/dispatch/serve.ts';
import { countCrash } from '../../src/dispatch/settle.ts';

const LANE = 2;
const keys = queueKeys('s', 0);

function queueOf(options: { durable?: boolean; inFlightMax?: number; laneEntriesMax?: number; owedMax?: number } = {}) {
  const { durable = true, inFlightMax = 1_000, laneEntriesMax = 10_000, owedMax = 10_000 } = options;
  return new LocalQueue(0, { keys, durable, inFlightMax, laneEntriesMax, owedMax });
}

/** Everything up to `head` becomes known: by the scan while the lane reads, by a live offer after that. */
function offerAll(queue: LocalQueue, head: number): void {
  const lane = queue.lanes[LANE]!;
  const after = lane.cursor;
  for (let position = after + 1; position <= head; position++) {
    if (lane.state === 'live') lane.offer(position);
    else queue.offerRead(lane, LANE, position, after);
  }
  for (const each of queue.lanes) each.scanned(each === lane ? after : each.cursor, head, head);
}

/** What is durable of one queue, as the state store would have it. */
class Records {
  progress: JsonObject | undefined;
  readonly owed = new Map<number, JsonObject>();
  readonly others: StateChange[] = [];

  take(changes: readonly StateChange[]): void {
    const plain = JSON.parse(JSON.stringify(changes)) as StateChange[];
    for (const change of plain) {
      if (change.kind === 'progress') this.progress = change.value as JsonObject;
      else if (change.kind !== 'owed') this.others.push(change);
      else if (change.value)
        this.owed.set(Number(change.key.slice(keys.owedPrefix.length)), change.value as JsonObject);
      else this.owed.delete(Number(change.key.slice(keys.owedPrefix.length)));
    }
  }

  commit(queue: LocalQueue, head: number, closing = false): void {
    const snapshot = queue.snapshot(head, closing);
    this.take(snapshot.changes);
    queue.committed(snapshot);
  }

  reopen(head: number, options: { inFlightMax?: number } = {}): LocalQueue {
    const queue = queueOf(options);
    const owed = [...this.owed].map(([position, value]) => Owed.fromJson(position, value));
    queue.recover(this.progress, owed, head);
    return queue;
  }

  /** Positions up to `head` that a later owner would take for settled. */
  settled(head: number): number[] {
    const [scanned, , settled] = (this.progress?.['lanes'] as [number, number, number[]][] | undefined)?.[LANE] ?? [
      0,
      0,
      [],
    ];
    const all = Array.from({ length: head }, (_, at) => at + 1);
    return all.filter((position) => (position <= scanned || settled.includes(position)) && !this.owed.has(position));
  }
}

describe('what may have been under way at a crash', () => {
  it('stays suspect when the next owner ends before it has read so far', () => {
    const records = new Records();
    const queue = queueOf();
    offerAll(queue, 5);
    records.commit(queue, 5);
    queue.claimWaiting(LANE);
    const next = records.reopen(5);
    records.commit(next, 5, true);
    const last = records.reopen(5);
    offerAll(last, 5);
    expect([...last.owed.values()].map(({ position, suspect }) => [position, suspect])).toEqual(
      [1, 2, 3, 4, 5].map((position) => [position, true]),
    );
  });
});

describe('the window', () => {
  it('is full with what is claimed and what is settled but not yet durable, together', () => {
    const queue = queueOf({ inFlightMax: 3 });
    offerAll(queue, 5);
    const claims = [queue.claimWaiting(LANE), queue.claimWaiting(LANE), queue.claimWaiting(LANE)];
    queue.settleFinal(claims[0]!);
    expect(queue.windowLeft).toBe(0);
    new Records().commit(queue, 5);
    expect(queue.windowLeft).toBe(1);
  });

  it('is not used by events that need no attempt', () => {
    const queue = queueOf({ inFlightMax: 1 });
    offerAll(queue, 3);
    queue.passWaiting(LANE);
    queue.passWaiting(LANE);
    expect([queue.windowLeft, queue.lanes[LANE]!.floor(3)]).toEqual([1, 2]);
  });
});

describe('the reservation', () => {
  it('of a lane that reads back ends where it reads: a crash would make suspects of all up to the head', () => {
    const records = new Records();
    const queue = queueOf({ inFlightMax: 10 });
    const lane = queue.lanes[LANE]!;
    // The log has 10,000 events, of which the scan has shown five.
    for (let position = 1; position <= 5; position++) queue.offerRead(lane, LANE, position, 0);
    records.commit(queue, 10_000);
    expect(lane.state).toBe('reading');
    expect(lane.reserved).toBe(5 + 2 * 10);
  });

  it('covers no claim before it is durable, and a whole window ahead afterwards', () => {
    const queue = queueOf({ inFlightMax: 4 });
    offerAll(queue, 10);
    expect(queue.isReserved(LANE, 1)).toBe(false);
    const snapshot = queue.snapshot(10, false);
    expect(queue.isReserved(LANE, 1)).toBe(false);
    queue.committed(snapshot);
    expect([queue.isReserved(LANE, 4), queue.isReserved(LANE, 5)]).toEqual([true, false]);
  });

  it('reaches beyond the head when little waits, so that the next events need not wait for it', () => {
    const queue = queueOf({ inFlightMax: 4 });
    offerAll(queue, 2);
    new Records().commit(queue, 2);
    expect([queue.isReserved(LANE, 10), queue.isReserved(LANE, 11)]).toEqual([true, false]);
  });

  it('ends at a clean stop: what waits then is a first attempt for the next owner', () => {
    const queue = queueOf();
    const records = new Records();
    offerAll(queue, 3);
    records.commit(queue, 3);
    queue.settleFinal(queue.claimWaiting(LANE));
    records.commit(queue, 3, true);
    const next = records.reopen(3);
    offerAll(next, 3);
    expect([next.waitingCount, next.peekReady(LANE)]).toEqual([2, undefined]);
    expect(next.claimWaiting(LANE)).toMatchObject({ position: 2, attempt: 1 });
  });

  it('counts no more when the last commit failed: it may be durable, and a crash would make a first attempt first again', () => {
    const queue = queueOf();
    const records = new Records();
    offerAll(queue, 3);
    records.commit(queue, 3);
    const failed = queue.snapshot(3, true);
    records.take(failed.changes);
    queue.notCommitted(failed);
    expect(queue.isReserved(LANE, 1)).toBe(false);
    records.commit(queue, 3);
    expect(queue.claimWaiting(LANE)).toMatchObject({ position: 1, attempt: 1 });
    const next = records.reopen(3);
    offerAll(next, 3);
    expect(next.claimReady(LANE)).toMatchObject({ position: 1, attempt: 2 });
  });

  it('is not asked for by a queue that ends with its process', () => {
    expect(queueOf({ durable: false }).isReserved(LANE, 99)).toBe(true);
  });
});

describe('after an unclean stop', () => {
  it('exactly the unsettled events in (scanned, reserved] are suspects: attempt 2, one record each', () => {
    const queue = queueOf({ inFlightMax: 4 });
    const records = new Records();
    offerAll(queue, 10);
    records.commit(queue, 10);
    const claims = [1, 2, 3].map(() => queue.claimWaiting(LANE));
    queue.settleFinal(claims[1]!);
    records.commit(queue, 10);
    const reserved = queue.lanes[LANE]!.reserved;
    const next = records.reopen(10, { inFlightMax: 4 });
    offerAll(next, 10);
    const expected = [1, 3, 4, 5, 6, 7, 8, 9, 10].filter((position) => position <= reserved);
    expect([...next.owed.keys()]).toEqual(expected);
    expect([...next.owed.values()].every((owed) => owed.suspect && owed.attempt === 1)).toBe(true);
    expect(next.claimReady(LANE)).toMatchObject({ position: 1, attempt: 2 });
    expect([...next.lanes[LANE]!.waitingPositions()]).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10].slice(expected.length));
  });

  it('events that were appended after it are first attempts, although the reservation reached beyond the head', () => {
    const queue = queueOf();
    const records = new Records();
    offerAll(queue, 2);
    records.commit(queue, 2);
    const next = records.reopen(2);
    offerAll(next, 4);
    expect([[...next.owed.keys()], [...next.lanes[LANE]!.waitingPositions()]]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('a debt keeps its attempt, failures and errors', () => {
    const queue = queueOf();
    const records = new Records();
    offerAll(queue, 1);
    const owed = queue.settleOwed(queue.claimWaiting(LANE));
    Object.assign(owed, { failures: 1, dueWallMs: 77, delayMs: 7 });
    owed.remember({ code: 'x', message: 'y' }, 5);
    records.commit(queue, 1);
    const next = records.reopen(1);
    expect(next.owed.get(1)).toMatchObject({ attempt: 1, failures: 1, dueWallMs: 77, delayMs: 7, suspect: false });
    expect(next.owed.get(1)!.failedAttempts).toEqual([{ attempt: 1, atMs: 5, code: 'x', message: 'y' }]);
    offerAll(next, 1);
    expect([next.waitingCount, next.peekReady(LANE)]).toEqual([0, undefined]);
  });
});

describe('a commit', () => {
  it('lets the floor pass a delivery that waits for a retry: its record is in the same commit', () => {
    const queue = queueOf();
    offerAll(queue, 2);
    queue.settleOwed(queue.claimWaiting(LANE));
    queue.settleFinal(queue.claimWaiting(LANE));
    const { changes } = queue.snapshot(2, true);
    expect(changes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['progress s/0', `owed ${keys.owed(1)}`]);
    expect((changes[0]!.value as { lanes: number[][] }).lanes[LANE]).toEqual([2, 2, []]);
  });

  it('takes a settlement and what follows from it together', () => {
    const queue = queueOf();
    offerAll(queue, 1);
    const letter: StateChange = { kind: 'dead-letter', key: 'l', value: 1 };
    queue.settleFinal(queue.claimWaiting(LANE), [letter]);
    expect(queue.snapshot(1, false).changes).toContainEqual(letter);
  });

  it('that did not happen loses nothing: the next one says it all, newer things of a delivery on top', () => {
    const queue = queueOf();
    const records = new Records();
    offerAll(queue, 2);
    const letter: StateChange = { kind: 'dead-letter', key: 'l', value: 1 };
    queue.settleOwed(queue.claimWaiting(LANE)).failures = 1;
    queue.settleFinal(queue.claimWaiting(LANE), [letter]);
    const failed = queue.snapshot(2, false);
    queue.makeReady(queue.owed.get(1)!);
    queue.settleFinal(queue.claimReady(LANE));
    queue.notCommitted(failed);
    expect([queue.dirty, queue.isCommitted]).toEqual([true, false]);
    records.commit(queue, 2);
    expect([records.owed.size, records.others, records.settled(2)]).toEqual([0, [letter], [1, 2]]);
    expect([queue.windowLeft, queue.isCommitted]).toEqual([1_000, true]);
  });

  it('under way is not yet durable', () => {
    const queue = queueOf();
    offerAll(queue, 1);
    queue.passWaiting(LANE);
    const snapshot = queue.snapshot(1, false);
    expect(queue.isCommitted).toBe(false);
    queue.committed(snapshot);
    expect(queue.isCommitted).toBe(true);
  });

  it('of a queue that ends with its process holds nothing but dead letters', () => {
    const queue = queueOf({ durable: false });
    offerAll(queue, 2);
    queue.settleOwed(queue.claimWaiting(LANE));
    expect([queue.dirty, queue.isCommitted]).toEqual([false, true]);
    const letter: StateChange = { kind: 'dead-letter', key: 'l', value: 1 };
    queue.settleFinal(queue.claimWaiting(LANE), [letter]);
    expect([queue.dirty, queue.snapshot(2, false).changes]).toEqual([true, [letter]]);
  });
});

describe('the cap of debts', () => {
  it('counts what is owed and what might become owed', () => {
    const queue = queueOf({ owedMax: 2 });
    offerAll(queue, 3);
    queue.settleOwed(queue.claimWaiting(LANE));
    expect(queue.isSaturated).toBe(false);
    queue.claimWaiting(LANE);
    expect(queue.isSaturated).toBe(true);
  });
});

describe('a hand-over inside the process', () => {
  it('gives the next queue what is owed and what is settled, and nothing twice', () => {
    const queue = queueOf({ durable: false });
    offerAll(queue, 4);
    const claims = [1, 2, 3, 4].map(() => queue.claimWaiting(LANE));
    queue.settleFinal(claims[2]!);
    const owed = queue.settleOwed(claims[0]!);
    owed.failures = 1;
    owed.dueAtMs = 5;
    queue.lanes[LANE]!.leave(4);
    const handed = queue.handOver(9);
    const next = queueOf({ durable: false });
    next.recover(handed.progress, handed.owed, 9);
    offerAll(next, 6);
    expect([...next.lanes[LANE]!.waitingPositions()]).toEqual([2, 4, 5, 6]);
    expect([...next.owed.values()]).toEqual([expect.objectContaining({ position: 1, failures: 1, dueAtMs: 5 })]);
    expect(next.owed.get(1)).not.toBe(owed);
  });
});

describe('any sequence of attempts, commits, crashes and clean stops', () => {
  it('never has a record that claims an unsettled event, and never attempts more than a window twice', () => {
    const step = fc.record({
      kind: fc.constantFrom(
        ...['append', 'append', 'claim', 'claim', 'claim', 'settle', 'settle', 'fail', 'pass', 'retry'],
        ...['commit', 'begin-commit', 'end-commit', 'fail-commit', 'crash', 'close'],
      ),
      pick: fc.nat(1_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 1, max: 6 }), (steps, inFlightMax) => {
        const model = new QueueModel(inFlightMax);
        for (const { kind, pick } of steps) {
          model.step(kind, pick);
          model.check();
        }
        model.drain();
      }),
      { numRuns: 300 },
    );
  });
});

/** A queue beside the plainest account of what was attempted and what is settled. */
class QueueModel {
  readonly #inFlightMax: number;
  readonly #records = new Records();
  readonly #settled = new Set<number>();
  readonly #attempts = new Map<number, number>();
  #claims: Claimed[] = [];
  #queue: LocalQueue;
  #snapshot: ReturnType<LocalQueue['snapshot']> | undefined;
  #head = 0;

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax;
    this.#queue = queueOf({ inFlightMax });
    this.#read();
  }

  step(kind: string, pick: number): void {
    const queue = this.#queue;
    const claim = this.#claims[pick % Math.max(1, this.#claims.length)];
    if (kind === 'append') {
      queue.lanes[LANE]!.offer(++this.#head);
    } else if (kind === 'claim') {
      this.#claim();
    } else if (kind === 'settle' && claim) {
      queue.settleFinal(claim);
      this.#settled.add(claim.position);
      this.#claims = this.#claims.filter((other) => other !== claim);
    } else if (kind === 'fail' && claim) {
      queue.makeReady(queue.settleOwed(claim));
      this.#claims = this.#claims.filter((other) => other !== claim);
    } else if (kind === 'pass' && queue.waitingCount > 0) {
      this.#settled.add(queue.lanes[LANE]!.peek()!);
      queue.passWaiting(LANE);
    } else if (kind === 'retry') {
      this.#retry();
    } else {
      this.#commits(kind);
    }
  }

  #commits(kind: string): void {
    if (kind === 'begin-commit') this.#snapshot ??= this.#queue.snapshot(this.#head, false);
    else if (kind === 'end-commit' && this.#snapshot) this.#endCommit();
    else if (kind === 'fail-commit' && this.#snapshot) {
      this.#queue.notCommitted(this.#snapshot);
      this.#snapshot = undefined;
    } else if (kind === 'commit' && !this.#snapshot) this.#records.commit(this.#queue, this.#head);
    else if (kind === 'crash') this.#reopen();
    else if (kind === 'close' && !this.#snapshot && this.#claims.length === 0) {
      this.#records.commit(this.#queue, this.#head, true);
      this.#reopen();
    }
  }

  /** No record may take for settled what is not. */
  check(): void {
    for (const position of this.#records.settled(this.#head)) {
      if (!this.#settled.has(position)) throw new RangeError(`${position} is recorded as settled and is not.`);
    }
    expect(this.#queue.windowLeft).toBeGreaterThanOrEqual(0);
  }

  /** From wherever it stands, every event is settled in the end, attempted once more at most than crashes explain. */
  drain(): void {
    for (const claim of this.#claims) {
      this.#queue.settleFinal(claim);
      this.#settled.add(claim.position);
    }
    this.#claims = [];
    if (this.#snapshot) this.#endCommit();
    for (let round = 0; round < 2_000 && !this.#queue.isSettled(); round++) {
      this.#records.commit(this.#queue, this.#head);
      this.#claim();
      this.#retry();
      for (const claim of this.#claims.splice(0)) {
        this.#queue.settleFinal(claim);
        this.#settled.add(claim.position);
      }
    }
    expect([...this.#settled].sort((a, b) => a - b)).toEqual(Array.from({ length: this.#head }, (_, at) => at + 1));
  }

  #claim(): void {
    const lane = this.#queue.lanes[LANE]!;
    const next = lane.peek();
    if (next === undefined || this.#queue.windowLeft <= 0 || !this.#queue.isReserved(LANE, next)) return;
    this.#take(this.#queue.claimWaiting(LANE));
  }

  /** As the dispatcher does it: the attempt number is durable before the receiver sees it. */
  #retry(): void {
    if (this.#queue.windowLeft <= 0 || !this.#queue.peekReady(LANE) || this.#snapshot) return;
    const claimed = this.#queue.claimReady(LANE);
    this.#records.commit(this.#queue, this.#head);
    this.#take(claimed);
  }

  #take(claimed: Claimed): void {
    const before = this.#attempts.get(claimed.position) ?? 0;
    if (claimed.attempt <= before) throw new RangeError(`Attempt ${claimed.attempt} of ${claimed.position} again.`);
    this.#attempts.set(claimed.position, claimed.attempt);
    this.#claims.push(claimed);
  }

  #endCommit(): void {
    this.#records.take(this.#snapshot!.changes);
    this.#queue.committed(this.#snapshot!);
    this.#snapshot = undefined;
  }

  #reopen(): void {
    const attempted = this.#claims.length;
    this.#claims = [];
    this.#snapshot = undefined;
    const settledBefore = new Set(this.#settled);
    this.#settled.clear();
    for (const position of this.#records.settled(this.#head)) this.#settled.add(position);
    const again = [...settledBefore].filter((position) => !this.#settled.has(position) && this.#attempts.has(position));
    expect(again.length + attempted).toBeLessThanOrEqual(this.#inFlightMax);
    this.#queue = this.#records.reopen(this.#head, { inFlightMax: this.#inFlightMax });
    for (const owed of this.#queue.owed.values()) {
      // As whoever takes up the service does it.
      if (owed.started) countCrash(owed, 0);
      this.#queue.makeReady(owed);
    }
    this.#read();
  }

  #read(): void {
    offerAll(this.#queue, this.#head);
    for (const lane of [0, 1, 3] as Lane[]) expect(this.#queue.lanes[lane]!.state).toBe('live');
  }
}
