import { ANONYMOUS, type Delivery, type LeftReason, type Outcome, type Sink } from '@event-manager/core';
import { SeededChance } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, openMemory } from '../open-engine.ts';

const NO_RETRIES = { retryPolicy: { maxRetries: 0 } };

interface Held {
  readonly n: number;
  readonly attempt: number;
  readonly answer: (outcome: Outcome) => void;
}

/** A connection that is a member: keeps what it is handed until the test answers. */
class Socket implements Sink {
  readonly single = true;
  held: Held[] = [];
  readonly seen: string[] = [];
  readonly left: LeftReason[] = [];
  readonly onDelivery: (n: number, attempt: number) => void;

  constructor(onDelivery: (n: number, attempt: number) => void = () => {}) {
    this.onDelivery = onDelivery;
  }

  deliver([delivery]: readonly Delivery[]): Promise<Outcome[]> {
    const { record, attempt } = delivery!;
    const n = JSON.parse(Buffer.from(record.body).toString()).payload.n as number;
    this.seen.push(`${n}#${attempt}`);
    this.onDelivery(n, attempt);
    return new Promise((resolve) => {
      this.held.push({ n, attempt, answer: (outcome) => resolve([outcome]) });
    });
  }

  async close(): Promise<void> {}

  /** Answers what it holds, from `at` on in a circle; returns what was answered. */
  ack(at = 0, count = this.held.length): Held[] {
    const order = [...this.held.slice(at), ...this.held.slice(0, at)];
    const answered = order.slice(0, count);
    this.held = this.held.filter((held) => !answered.includes(held));
    for (const { answer } of answered) answer({ status: 'delivered' });
    return answered;
  }
}

function join(bus: EngineUnderTest, socket: Socket, options: object = {}, member?: string) {
  const onLeft = (reason: LeftReason) => socket.left.push(reason);
  const request = { topic: '#', name: 'g', options };
  return bus.time.run(bus.engine.subscriptions.subscribe(ANONYMOUS, request, { sink: socket, member, onLeft }));
}

function leave(bus: EngineUnderTest, id: string, socket: Socket, drainMs = 0) {
  return bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, id, { sink: socket, drainMs }));
}

describe('members of a subscription', () => {
  it('have so many under way each, and a lost one gives back what it had at once and without a failure', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const [first, second] = [new Socket(), new Socket()];
    const options = { ...NO_RETRIES, maxConcurrency: 2 };
    const { id } = await join(bus, first, options);
    await bus.publishMany(10);
    await bus.time.advance(10);
    expect(first.seen).toEqual(['1#1', '2#1']);
    await join(bus, second, options);
    await bus.time.advance(10);
    expect(second.seen).toEqual(['3#1', '4#1']);
    expect(bus.status(id)).toMatchObject({ members: 2, inFlight: 4 });
    await leave(bus, id, first);
    while (second.held.length > 0) {
      second.ack();
      await bus.time.advance(200);
    }
    expect(second.seen.toSorted()).toEqual(['1#2', '10#1', '2#2', '3#1', '4#1', '5#1', '6#1', '7#1', '8#1', '9#1']);
    // An answer of the one that is gone is late.
    first.ack();
    await bus.settled();
    expect(bus.status(id)).toMatchObject({ members: 1, counts: { delivered: 10, failed: 0, stale: 2 } });
    expect(await bus.deadLetters(id)).toEqual([]);
  });

  it('go on while one that left finishes what it has; what it does not finish comes to them', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const [leaver, stayer] = [new Socket(), new Socket()];
    const options = { ...NO_RETRIES, maxConcurrency: 1 };
    const { id } = await join(bus, leaver, options);
    await join(bus, stayer, options);
    await bus.publishMany(4);
    await bus.time.advance(10);
    const left = bus.engine.subscriptions.detach(ANONYMOUS, id, { sink: leaver, drainMs: 1_000 });
    for (const _ of [1, 2, 3]) {
      stayer.ack();
      await bus.time.advance(100);
    }
    expect(stayer.seen).toEqual(['2#1', '3#1', '4#1']);
    await bus.time.advance(1_000);
    await bus.time.run(left);
    await bus.time.advance(200);
    expect(stayer.seen.at(-1)).toBe('1#2');
    stayer.ack();
    await bus.settled();
    expect(bus.status(id).counts).toMatchObject({ delivered: 4, failed: 0 });
  });

  it('hand over without a gap: who joins while the last one leaves does not wait for it', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const [old, fresh] = [new Socket(), new Socket()];
    const options = { ...NO_RETRIES, maxConcurrency: 2 };
    const { id } = await join(bus, old, options);
    await bus.publishMany(4);
    await bus.time.advance(10);
    const left = bus.engine.subscriptions.detach(ANONYMOUS, id, { sink: old, drainMs: 60_000 });
    await bus.time.advance(1_000);
    // Nothing more for the one that leaves, and nobody else is there yet.
    expect([old.seen, bus.status(id).members]).toEqual([['1#1', '2#1'], 0]);
    await join(bus, fresh, options);
    await bus.time.advance(10);
    expect(fresh.seen).toEqual(['3#1', '4#1']);
    old.ack();
    await bus.time.run(left);
    fresh.ack();
    await bus.settled();
    expect(bus.status(id)).toMatchObject({ served: true, members: 1, counts: { delivered: 4, failed: 0, stale: 0 } });
  });

  it('take their own place when they come again under their name, and nobody else’s', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const [old, other, again] = [new Socket(), new Socket(), new Socket()];
    const { id } = await join(bus, old, NO_RETRIES, 'a');
    await join(bus, other, NO_RETRIES, 'b');
    await bus.publishMany(2);
    await bus.time.advance(10);
    await join(bus, again, NO_RETRIES, 'a');
    expect([old.left, other.left, bus.status(id).members]).toEqual([['taken_over'], [], 2]);
    await bus.time.advance(200);
    const taken = [...again.seen, ...other.seen.slice(1)];
    expect(taken).toEqual([old.seen[0]!.replace('#1', '#2')]);
    again.ack();
    other.ack();
    await bus.settled();
  });

  it('are told when somebody ends the subscription, all of them', async () => {
    const bus = await openMemory();
    const [first, second] = [new Socket(), new Socket()];
    const { id } = await join(bus, first);
    await join(bus, second);
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    expect([first.left, second.left]).toEqual([['ended'], ['ended']]);
  });

  it('stay members when the definition changes', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const [first, second] = [new Socket(), new Socket()];
    const options = { ...NO_RETRIES, maxConcurrency: 1 };
    const { id } = await join(bus, first, options);
    await join(bus, second, options);
    await bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { topic: 'order.*' }));
    await bus.publishMany(2);
    await bus.time.advance(10);
    expect([first.seen.length, second.seen.length]).toEqual([1, 1]);
    expect(bus.engine.metrics().members).toBe(2);
  });

  it('can be left by a handler that is in the middle of it, which ends as it began', async () => {
    const bus = await openMemory();
    const seen: string[] = [];
    const handler = () => void seen.push('other');
    const leaving = await bus.time.run(
      bus.engine.subscriptions.join(ANONYMOUS, {
        topic: '#',
        name: 'g',
        async handler() {
          seen.push('leaver');
          await bus.engine.subscriptions.detach(ANONYMOUS, id, leaving.attached!);
        },
      }),
    );
    const { id } = leaving.definition;
    await bus.subscribe({ name: 'g', handler });
    for (const _ of [1, 2, 3]) await bus.publish();
    await bus.settled();
    expect(seen.toSorted()).toEqual(['leaver', 'other', 'other']);
    expect(bus.status(id)).toMatchObject({ members: 1, counts: { delivered: 3, stale: 0 } });
  });
});

/** What a run of members shows: every attempt, and every answer. */
class History {
  readonly #attempts = new Map<number, number[]>();
  readonly #settled = new Set<number>();
  readonly #keys: number;
  inversions = 0;

  constructor(keys: number) {
    this.#keys = keys;
  }

  began = (n: number, attempt: number): void => {
    const attempts = this.#attempts.get(n) ?? [];
    this.#attempts.set(n, [...attempts, attempt]);
    const before = n - this.#keys;
    if (before >= 1 && attempts.length === 0 && !this.#settled.has(before)) this.inversions++;
  };

  ended(held: readonly Held[]): void {
    for (const { n } of held) this.#settled.add(n);
  }

  check(count: number): void {
    for (let n = 1; n <= count; n++) {
      const attempts = this.#attempts.get(n) ?? [];
      expect(this.#settled.has(n), `${n} was delivered`).toBe(true);
      expect(attempts, `attempts of ${n}`).toEqual([...new Set(attempts)].sort((a, b) => a - b));
    }
  }
}

/** Members come, answer in any order, vanish and come back, while events are published. */
async function stress(seed: number, options: object, keys: number): Promise<{ history: History; count: number }> {
  const { open } = durableWorld();
  const bus = await open();
  const chance = new SeededChance(seed);
  const upTo = (count: number) => Math.floor(chance.fraction() * count);
  const history = new History(keys);
  const newSocket = () => new Socket(history.began);
  const present: Socket[] = [newSocket()];
  const { id } = await join(bus, present[0]!, options, 'm0');
  let [count, names] = [0, 1];
  for (let step = 0; step < 150; step++) {
    const what = upTo(10);
    const socket = present[upTo(present.length)]!;
    if (what < 3) {
      const metadata = (n: number) => ({ orderingKey: `k${n % keys}` });
      for (let more = 1 + upTo(6); more > 0; more--) {
        count++;
        await bus.time.run(
          bus.engine.publish(ANONYMOUS, anEvent({ payload: { n: count }, metadata: metadata(count) })),
        );
      }
    } else if (what < 7) {
      history.ended(socket.ack(upTo(4), 1 + upTo(8)));
    } else if (what === 7 && present.length < 4) {
      const joining = newSocket();
      present.push(joining);
      await join(bus, joining, options, `m${names++}`);
    } else if (what === 8 && present.length > 1) {
      present.splice(present.indexOf(socket), 1);
      await leave(bus, id, socket, 0);
    } else await bus.time.advance(upTo(300));
  }
  for (let turn = 0; turn < 400; turn++) {
    for (const socket of present) history.ended(socket.ack());
    await bus.time.advance(150);
  }
  await bus.settled();
  expect(await bus.deadLetters(id)).toEqual([]);
  await bus.close();
  return { history, count };
}

describe('members that come and go under load', () => {
  const seeds = Array.from({ length: 25 }, (_, seed) => seed + 1);
  it.each(seeds)('lose nothing, and get nothing twice without a higher attempt: seed %i', async (seed) => {
    const { history, count } = await stress(seed, { ...NO_RETRIES, maxConcurrency: 4 }, 1);
    history.check(count);
  });

  it.each(seeds.slice(0, 12))('keep the order of keys: seed %i', async (seed) => {
    const options = { ...NO_RETRIES, maxConcurrency: 4, order: 'key' };
    const { history, count } = await stress(seed, options, 5);
    history.check(count);
    expect(history.inversions).toBe(0);
  });
});

it('has bounds: ten thousand members would hold up everybody else while they join, leave and are asked', async () => {
  const { open } = durableWorld();
  const bus = await open();
  for (let n = 0; n < 1_000; n++) await join(bus, new Socket(), {}, `m${n}`);
  const late = new Socket();
  const details = { limit: 'members', maximum: 1_000 };
  await expect(join(bus, late, {}, 'late')).rejects.toMatchObject({ code: 'overloaded', details });
  // One that comes back takes its own place, and one that left makes room.
  const again = new Socket();
  const { id } = await join(bus, again, {}, 'm7');
  await leave(bus, id, again);
  await join(bus, late, {}, 'late');
  expect(bus.engine.subscriptions.status(ANONYMOUS, id).members).toBe(1_000);
  await bus.close();
});
