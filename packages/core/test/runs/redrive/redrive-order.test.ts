import { ANONYMOUS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { fixedRetry } from '../../open-engine.ts';
import { byState, discard, ended, redrive, redriveWorld } from './redrive-world.ts';

const KEYED = { order: 'topic', retryPolicy: fixedRetry(2, 1_000) };

function keysOf(bus: Parameters<typeof redrive>[0]) {
  const { id } = bus.engine.subscriptions.list(ANONYMOUS)[0]!;
  return bus.time.run(bus.engine.subscriptions.keys.all(ANONYMOUS, id));
}

describe('in an ordered subscription', () => {
  it('what is redriven goes before everything that waits of its key', async () => {
    const { handed, receiver, start, time } = redriveWorld(KEYED);
    const bus = await start();
    receiver.answer = ({ payload }) => ((payload['n'] as number) <= 2 ? { success: false, retry: false } : undefined);
    await bus.publishMany(2);
    await bus.settled();
    // The third fails once and waits, the fourth stands behind it.
    receiver.answer = (_event, { attempt }) => (attempt === 1 ? { success: false } : undefined);
    await bus.publishMany(2, 3);
    await time.advance(100);
    handed.length = 0;
    receiver.answer = undefined;
    receiver.isWell = true;
    await ended(bus, await redrive(bus, { all: true }));
    await bus.settled();
    expect(handed.map(({ n }) => n)).toEqual([3, 1, 2, 4]);
  });

  it('one that fails again holds up its key, and the next one of it comes after', async () => {
    const { handed, receiver, start, time } = redriveWorld(KEYED);
    const bus = await start();
    await bus.publishMany(2);
    await bus.settled();
    handed.length = 0;
    receiver.answer = ({ payload }, { attempt }) =>
      payload['n'] === 1 && attempt < 4 ? { success: false } : undefined;
    await ended(bus, await redrive(bus, { all: true }));
    await bus.publishMany(1, 3);
    await time.advance(100);
    expect(handed.map(({ n, attempt }) => `${n}#${attempt}`)).toEqual(['1#2']);
    await bus.settled();
    expect(handed.map(({ n, attempt }) => `${n}#${attempt}`)).toEqual(['1#2', '1#3', '1#4', '2#2', '3#1']);
  });

  it('keeps that over a crash', async () => {
    const { handed, receiver, start, time } = redriveWorld(KEYED);
    const first = await start();
    await first.publishMany(3);
    await first.settled();
    handed.length = 0;
    receiver.answer = async ({ payload }) => {
      if (payload['n'] === 1) await time.wait(10_000);
      return undefined;
    };
    await redrive(first, { all: true });
    await time.advance(1_500);
    expect(handed.map(({ n }) => n)).toEqual([1]);
    first.crash();
    receiver.answer = undefined;
    receiver.isWell = true;
    const second = await start();
    await second.publishMany(1, 4);
    await second.settled();
    expect(handed.map(({ n }) => n)).toEqual([1, 1, 2, 3, 4]);
    expect(byState(await second.deadLetters())).toEqual({ redriven: 3 });
  });

  it('a parked key goes on when its letter is delivered', async () => {
    const { handed, receiver, start } = redriveWorld({ ...KEYED, onFailure: 'park' });
    const bus = await start();
    await bus.publishMany(3);
    await bus.settled();
    expect(handed.map(({ n }) => n)).toEqual([1]);
    expect(await keysOf(bus)).toMatchObject([{ state: 'parked', waiting: 2 }]);
    receiver.isWell = true;
    await ended(bus, await redrive(bus, { all: true }));
    await bus.settled();
    expect(handed.map(({ n }) => n)).toEqual([1, 1, 2, 3]);
    expect(await keysOf(bus)).toEqual([]);
  });

  it('a parked key stays parked when its letter dies again, for the new one', async () => {
    const { handed, start } = redriveWorld({ ...KEYED, onFailure: 'park' });
    const bus = await start();
    await bus.publishMany(2);
    await bus.settled();
    await ended(bus, await redrive(bus, { all: true }));
    await bus.settled();
    const letters = await bus.deadLetters();
    expect(letters.map(({ round, state }) => `${round} ${state}`)).toEqual(['0 redriven', '1 open']);
    expect(await keysOf(bus)).toMatchObject([{ state: 'parked', waiting: 1, deadLetterId: letters[1]!.id }]);
    expect(handed.map(({ n }) => n)).toEqual([1, 1]);
  });

  it('a parked key goes on without its letter when that is discarded', async () => {
    const { handed, receiver, start } = redriveWorld({ ...KEYED, onFailure: 'park' });
    const bus = await start();
    await bus.publishMany(2);
    await bus.settled();
    receiver.isWell = true;
    await ended(bus, await discard(bus, { all: true }));
    await bus.settled();
    expect(handed.map(({ n }) => n)).toEqual([1, 2]);
    expect(byState(await bus.deadLetters())).toEqual({ discarded: 1 });
  });
});
