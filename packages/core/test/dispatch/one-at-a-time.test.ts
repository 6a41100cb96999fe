import { EventManagerError } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { OneAtATime } from '../../src/dispatch/one-at-a-time.ts';

function work() {
  const ends: (() => void)[] = [];
  const failures: unknown[] = [];
  let runs = 0;
  const once = new OneAtATime(
    () => {
      runs++;
      return new Promise((resolve) => ends.push(resolve));
    },
    (error) => failures.push(error),
  );
  return { once, ends, failures, runs: () => runs };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('work that runs once at a time', () => {
  it('runs once more, and only once, however often it was asked for meanwhile', async () => {
    const { once, ends, runs } = work();
    for (let asked = 0; asked < 5; asked++) once.poke();
    expect(runs()).toBe(1);
    ends[0]!();
    await turn();
    expect(runs()).toBe(2);
    ends[1]!();
    await once.ended();
    expect([runs(), once.isIdle]).toEqual([2, true]);
  });

  it('loses no call that comes in any microtask around its end', async () => {
    for (let microtasks = 0; microtasks < 8; microtasks++) {
      const { once, ends, runs } = work();
      once.poke();
      ends[0]!();
      for (let passed = 0; passed < microtasks; passed++) await undefined;
      once.poke();
      await turn();
      expect(runs(), `asked ${microtasks} microtasks after the end`).toBe(2);
    }
  });

  it('tells a failure once and can run again', async () => {
    const failures: unknown[] = [];
    const once = new OneAtATime(
      async () => {
        throw new RangeError('no');
      },
      (error) => failures.push(error),
    );
    once.poke();
    await once.ended();
    once.poke();
    await once.ended();
    expect(failures).toHaveLength(2);
  });

  it('tries what may pass again after a while, and fails by nothing else', async () => {
    const time = new VirtualTime();
    const failures: unknown[] = [];
    const away = new EventManagerError('store_unavailable', 'away');
    const says: unknown[] = [away, away, undefined, new EventManagerError('store_failed', 'no')];
    const work = async () => {
      const error = says.shift();
      if (error) throw error;
    };
    const once = new OneAtATime(work, (error) => failures.push(error), time);
    once.poke();
    await once.ended();
    expect([once.trouble, failures]).toEqual([away, []]);
    await time.advance(5_000);
    expect([once.trouble, failures, says.length]).toEqual([undefined, [], 1]);
    once.poke();
    await once.ended();
    expect(failures).toHaveLength(1);
    says.push(away, away);
    once.poke();
    await once.ended();
    await once.stop();
    await time.advance(5_000);
    expect(says).toHaveLength(1);
  });

  it('runs nothing any more once it is stopped, and stopping waits for the end', async () => {
    const { once, ends, runs } = work();
    once.poke();
    once.poke();
    let stopped = false;
    const stopping = once.stop().then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    ends[0]!();
    await stopping;
    once.poke();
    expect(runs()).toBe(1);
  });
});
