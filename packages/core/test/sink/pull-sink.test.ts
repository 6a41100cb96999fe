import type { DeliverOptions, Delivery, Outcome, Timers } from '@event-manager/core';
import { SeededChance, simulatedRuntime, VirtualTime } from '@event-manager/testing';
import { sampleEvent } from '@event-manager/testing/conformance';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Timetable } from '../../src/dispatch/timetable.ts';
import { type LeasedDelivery, PullSink } from '../../src/sink/pull-sink.ts';

const LEASE_MS = 1_000;

/** The engine's side: hands over while there is room, and notes what each attempt ended with. */
class Rig {
  readonly time = new VirtualTime();
  readonly scope = this.time.scope();
  readonly timetable: Timetable;
  readonly sink: PullSink;
  readonly outcomes = new Map<number, Outcome[]>();
  readonly tokens: string[] = [];
  stale = 0;
  /** Whether the timers that were set keep a process alive. */
  readonly alive: boolean[] = [];
  #attempts = 0;

  constructor(seed: number) {
    const { scope } = this;
    const timers: Timers = {
      after: (delayMs, run, keepsAlive = false) => {
        this.alive.push(keepsAlive);
        return scope.after(delayMs, run);
      },
      soon: (run) => scope.soon(run),
    };
    const runtime = simulatedRuntime({ clock: this.time, timers, chance: new SeededChance(seed) });
    this.timetable = new Timetable(runtime.clock, runtime.timers);
    this.sink = new PullSink({
      ...{ runtime, timetable: this.timetable, leaseMs: LEASE_MS },
      mayCome: () => false,
      onStale: (count) => void (this.stale += count),
      onClosed: () => {},
    });
  }

  get attempts(): number {
    return this.#attempts;
  }

  deliver(): void {
    const n = ++this.#attempts;
    const record = { ...sampleEvent(n), place: { partition: 0, position: n }, recordedAtMs: 1 };
    const delivery: Delivery = { record, subscriptionId: 's', attempt: 1 };
    const options: DeliverOptions = { signal: new AbortController().signal, deadlineAtMs: 0 };
    this.outcomes.set(n, []);
    const note = (outcomes: readonly Outcome[]) => void this.outcomes.get(n)!.push(...outcomes);
    const answer = this.sink.deliver([delivery], options);
    if (answer instanceof Promise) void answer.then(note);
    else note(answer);
  }

  took(leases: readonly LeasedDelivery[]): void {
    this.tokens.push(...leases.map(({ token }) => token));
  }
}

const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), at: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), at: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('nack' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('extend' as const), at: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), at: fc.integer({ min: 1, max: 700 }) }) },
);

it('settles every attempt once, whoever asks, answers, goes away or says nothing', async () => {
  const run = fc.asyncProperty(fc.array(command, { maxLength: 60 }), fc.nat(), async (commands, seed) => {
    const rig = new Rig(seed);
    const asking: Promise<void>[] = [];
    const leaving: AbortController[] = [];
    for (const { do: what, at } of commands) {
      const token = rig.tokens[at % (rig.tokens.length || 1)] ?? 'nobody’s';
      if (what === 'ask') {
        const ending = new AbortController();
        leaving.push(ending);
        const wanted = { max: at, waitMs: at % 2 === 0 ? 0 : 500, signal: ending.signal };
        asking.push(rig.sink.pull(wanted).then((leases) => rig.took(leases)));
      }
      if (what === 'deliver') for (let more = at; more > 0 && rig.sink.room > 0; more--) rig.deliver();
      if (what === 'ack') rig.sink.ack([token]);
      if (what === 'nack') rig.sink.nack([token], { status: 'reject', error: { code: 'x', message: 'x' } });
      if (what === 'extend') rig.sink.extend([token]);
      if (what === 'wait') await rig.time.advance(at);
      if (what === 'wait' && at % 5 === 0) leaving.at(at % (leaving.length || 1))?.abort();
      expect(rig.sink.room).toBeGreaterThanOrEqual(0);
    }
    await rig.time.advance(2 * LEASE_MS);
    await Promise.all(asking);
    expect(new Set(rig.tokens).size).toBe(rig.tokens.length);
    expect([...rig.outcomes.values()].every((outcomes) => outcomes.length === 1)).toBe(true);
    expect([rig.outcomes.size, rig.sink.room, rig.sink.askers, rig.timetable.size]).toEqual([rig.attempts, 0, 0, 0]);
  });
  await fc.assert(run, { numRuns: 60 });
});

it('gives tokens that no other sink gives', async () => {
  const [one, two] = [new Rig(1), new Rig(2)];
  for (const rig of [one, two]) {
    const asking = rig.sink.pull({ max: 1, waitMs: 10 });
    rig.deliver();
    await rig.time.advance(1);
    rig.took(await asking);
  }
  expect(one.tokens[0]).not.toBe(two.tokens[0]);
  expect(two.sink.ack(one.tokens)).toEqual(one.tokens);
  expect([one.stale, two.stale]).toEqual([0, 1]);
});

it('keeps the process alive while somebody waits: a program that only pulls would end in the midst of it', async () => {
  const rig = new Rig(1);
  const pulled = rig.sink.pull({ max: 1, waitMs: 500 });
  expect(rig.alive).toEqual([true]);
  await rig.time.advance(500);
  expect(await pulled).toEqual([]);
});

it('takes no answer after the time of a lease, though a process that was stopped has not run its timers yet', async () => {
  const rig = new Rig(1);
  const asking = rig.sink.pull({ max: 1, waitMs: 10 });
  rig.deliver();
  await rig.time.advance(1);
  rig.took(await asking);
  rig.scope.suspend();
  await rig.time.advance(LEASE_MS);
  expect(rig.sink.ack(rig.tokens)).toEqual(rig.tokens);
  expect(rig.sink.extend(rig.tokens)).toMatchObject({ stale: rig.tokens });
  rig.scope.resume();
  await rig.time.advance(1);
  expect([...rig.outcomes.values()]).toEqual([[{ status: 'release' }]]);
});
