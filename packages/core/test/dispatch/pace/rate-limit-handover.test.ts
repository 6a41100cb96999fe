import { ANONYMOUS } from '@event-manager/core';
import { mostInWindow, SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { type EngineUnderTest, fixedRetry, openOn, sinkOf } from '../../open-engine.ts';

const MINUTE_MS = 60_000;
const PER_MINUTE = 20;

/** Two processes on one store and one limited webhook: it passes from one to the other when that closes, or is killed. */
async function start() {
  const time = new VirtualTime();
  const shared = new SimulatedShared({ time, chance: new SeededChance(5), stallShare: 0, hintLossShare: 0 });
  const attemptsAtMs: number[] = [];
  const taken = new Set<string>();
  const dead = new Set<string>();
  const open = async (owner: string) => {
    const handle = shared.connect();
    const bus = await openOn(handle, time, {
      owner,
      webhookSink: () =>
        sinkOf(async (batch) => {
          if (dead.has(owner)) return new Promise(() => {});
          for (const { record } of batch) {
            attemptsAtMs.push(time.monotonicMs());
            taken.add(record.id);
          }
          return batch.map(() => ({ status: 'delivered' }) as const);
        }),
    });
    const kill = () => {
      dead.add(owner);
      bus.crash();
      handle.crash();
    };
    return { bus, kill };
  };
  const most = () => mostInWindow(attemptsAtMs, MINUTE_MS);
  return { time, open, attemptsAtMs, taken, most };
}

async function subscribe(bus: EngineUnderTest): Promise<void> {
  const options = { rateLimitPerMinute: PER_MINUTE, retryPolicy: fixedRetry(3) };
  await bus.subscribe({ name: 'limited', endpoint: 'https://a.example/', options });
}

async function servedBy(bus: EngineUnderTest, time: VirtualTime): Promise<void> {
  const [limited] = bus.engine.subscriptions.list(ANONYMOUS);
  await time.runUntil(() => bus.engine.isServing(limited!.id));
}

it('goes on where it was when the other process closed', async () => {
  const { time, open, attemptsAtMs, taken, most } = await start();
  const [first, second] = [await open('a'), await open('b')];
  await subscribe(first.bus);
  await servedBy(first.bus, time);
  await first.bus.publishMany(15);
  await time.advance(3_000);
  await first.bus.close();
  await servedBy(second.bus, time);
  await second.bus.publishMany(30, 16);
  await time.advance(5_000);
  expect(attemptsAtMs).toHaveLength(PER_MINUTE);
  await second.bus.settled();
  expect([taken.size, most()]).toEqual([45, PER_MINUTE]);
});

it('is full when the other process was killed', async () => {
  const { time, open, attemptsAtMs, taken, most } = await start();
  const [first, second] = [await open('a'), await open('b')];
  await subscribe(first.bus);
  await servedBy(first.bus, time);
  await first.bus.publishMany(15);
  await time.advance(3_000);
  first.kill();
  await second.bus.publishMany(30, 16);
  await servedBy(second.bus, time);
  const before = attemptsAtMs.length;
  await time.advance(MINUTE_MS - 1_000);
  expect(attemptsAtMs).toHaveLength(before);
  await second.bus.settled();
  expect([taken.size, most()]).toEqual([45, PER_MINUTE]);
});
