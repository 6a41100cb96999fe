import { describe, expect, it } from 'vitest';
import {
  type ConformanceHarness,
  eventStoreConformance,
  sampleEvent,
  stateStoreConformance,
} from '../src/conformance/index.ts';
import { SeededChance } from '../src/seeded-chance.ts';
import { SimulatedShared } from '../src/simulated-shared-adapter.ts';
import { VirtualTime } from '../src/virtual-time.ts';

let seed = 0;

const harness: ConformanceHarness = {
  name: 'simulated-shared',
  supports: new SimulatedShared({ time: new VirtualTime(), chance: new SeededChance(0) }).connect().supports,
  async open() {
    const time = new VirtualTime();
    // The suites' shortest lease is shorter than a stall; here the way is merely slow.
    const world = new SimulatedShared({ time, chance: new SeededChance(seed++), stallMs: 20 });
    const stop = time.runInBackground();
    const connect = async () => {
      const handle = world.connect();
      await handle.open();
      return handle;
    };
    let adapter = await connect();
    return {
      adapter,
      async reopen() {
        await adapter.close();
        adapter = await connect();
        return adapter;
      },
      elapse: (ms) => time.wait(ms),
      jumpWall: (ms) => time.jumpWall(ms),
      openSecond: connect,
      async dispose() {
        stop();
      },
    };
  },
};

eventStoreConformance(harness);
stateStoreConformance(harness);

function twoProcesses(forSeed: number, options: { stallShare?: number } = {}) {
  const time = new VirtualTime();
  const world = new SimulatedShared({ time, chance: new SeededChance(forSeed), ...options });
  const first = world.connect();
  const second = world.connect();
  return { time, world, first, second, open: () => time.run(Promise.all([first.open(), second.open()])) };
}

describe('SimulatedShared: what can go wrong', () => {
  it('takes time for every call, now and then longer than a lease lasts', async () => {
    const { time, first, open } = twoProcesses(1);
    await open();
    const tookMs: number[] = [];
    for (let n = 0; n < 200; n++) {
      const startMs = time.monotonicMs();
      await time.run(first.store.append([sampleEvent(n)]));
      tookMs.push(time.monotonicMs() - startMs);
    }
    expect(Math.min(...tookMs)).toBeGreaterThan(0);
    expect(Math.max(...tookMs)).toBeGreaterThan(500);
  });

  it('tells others by hints, and loses some', async () => {
    const { time, first, second, open } = twoProcesses(2);
    await open();
    const heard = { first: 0, second: 0 };
    first.watch(() => heard.first++);
    const unwatch = second.watch(() => heard.second++);
    for (let n = 0; n < 100; n++) await time.run(first.store.append([sampleEvent(n)]));
    await time.runUntilIdle();
    expect(heard.first).toBe(0);
    expect(heard.second).toBeGreaterThan(50);
    expect(heard.second).toBeLessThan(90);
    unwatch();
    await time.run(first.state.commit([{ kind: 'topic', key: 'a', value: 1 }]));
    await time.runUntilIdle();
    expect(heard.second).toBeLessThan(90);
  });

  it('lets chance decide whether the last calls of a crashed process happened, and never answers it', async () => {
    let happened = 0;
    for (let n = 0; n < 40; n++) {
      const { time, first, second, open } = twoProcesses(n);
      await open();
      let isAnswered = false;
      const mark = () => {
        isAnswered = true;
      };
      first.store.append([sampleEvent(n)]).then(mark, mark);
      first.crash();
      first.store.bounds().then(mark, mark);
      await time.runUntilIdle();
      expect(isAnswered).toBe(false);
      if ((await time.run(second.store.get([sampleEvent(n).id])))[0] !== undefined) happened++;
    }
    expect(happened).toBeGreaterThan(10);
    expect(happened).toBeLessThan(30);
  });

  it('fences the late commit of a crashed process once its lease has passed on', async () => {
    let fenced = 0;
    for (let n = 0; n < 60; n++) {
      // With so many slow calls the late commit often arrives after the lease has passed on.
      const { time, world, first, second, open } = twoProcesses(n, { stallShare: 0.5 });
      await open();
      const [lease] = await time.run(first.state.acquire(['r'], { owner: 'first', ttlMs: 60_000 }));
      expect(await time.run(second.state.acquire(['r'], { owner: 'second', ttlMs: 60_000 }))).toEqual([]);
      void first.state.commit([{ kind: 'progress', key: 'p', value: 'zombie', lease: lease! }]);
      first.crash();
      await time.run(world.kept.state.release([lease!]));
      const [taken] = await time.run(second.state.acquire(['r'], { owner: 'second', ttlMs: 60_000 }));
      expect(taken!.token).toBeGreaterThan(lease!.token);
      const before = await time.run(world.kept.state.get('progress', ['p']));
      await time.runUntilIdle();
      expect(await time.run(world.kept.state.get('progress', ['p']))).toEqual(before);
      if (before[0] === undefined) fenced++;
    }
    expect(fenced).toBeGreaterThan(10);
  });

  it('runs the same way for the same seed', async () => {
    const run = async () => {
      const { time, first, second, open } = twoProcesses(9);
      await open();
      const calls = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? first : second).store.append([sampleEvent(n)]));
      const results = await time.run(Promise.all(calls));
      return [time.monotonicMs(), results];
    };
    expect(await run()).toEqual(await run());
  });
});
