import { ANONYMOUS, EventManagerError, type Sink, type StateStore } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/runs/run.ts';
import { RunRecords } from '../../src/runs/run-records.ts';
import { durableWorld, type EngineUnderTest, openMemory } from '../open-engine.ts';
import { detach, SeveralEngines } from '../several-engines.ts';
import { byState, redrive, redriveWorld } from './redrive/redrive-world.ts';

const away = () => new EventManagerError('store_unavailable', 'The store is away.');

function start(of: EngineUnderTest, request: object = {}): Promise<Run> {
  return of.time.run(of.engine.runs.start(ANONYMOUS, 'replay', { all: true, ...request }));
}

function get(of: EngineUnderTest, { id }: Pick<Run, 'id'>): Promise<Run> {
  return of.time.run(of.engine.runs.get(ANONYMOUS, id));
}

const cancel = (of: EngineUnderTest, { id }: Run) => of.time.run(of.engine.runs.cancel(ANONYMOUS, id));

/** A subscription with three events behind it. */
async function withPast(bus: EngineUnderTest): Promise<string> {
  const { id } = await bus.subscribe({ topic: '#', name: 's', handler: () => undefined });
  await bus.publishMany(3);
  await bus.settled();
  return id;
}

describe('the function that a replay goes to', () => {
  /** Runs whose room was told that they are over, which lets go of their functions. */
  function toldOver(bus: EngineUnderTest): string[] {
    const told: string[] = [];
    const { replays } = bus.engine;
    const over = replays.over.bind(replays);
    replays.over = (run) => {
      told.push(JSON.stringify(run.request['target']));
      over(run);
    };
    return told;
  }

  it('is forgotten when the replay is through, when it is cancelled, and when nothing was to be done', async () => {
    const bus = await openMemory();
    const told = toldOver(bus);
    await withPast(bus);
    const done = await start(bus, { target: () => undefined });
    await bus.time.advance(5_000);
    expect((await get(bus, done)).state).toBe('done');
    const cancelled = await start(bus, { target: () => undefined, speed: 0.01 });
    await cancel(bus, cancelled);
    const nothing = await start(bus, { target: () => undefined, topic: 'nobody/publishes/this' });
    await bus.time.advance(1_000);
    expect(new Set(told)).toEqual(
      new Set([done, cancelled, nothing].map(({ request }) => JSON.stringify(request['target']))),
    );
    await bus.close();
  });

  it('is forgotten when the run could not be kept', async () => {
    const world = durableWorld();
    const bus = await world.open();
    const told = toldOver(bus);
    await withPast(bus);
    world.kept.interfere = (call, [changes]) => {
      if (call === 'commit' && (changes as { kind: string }[]).some(({ kind }) => kind === 'run')) throw away();
    };
    await expect(start(bus, { target: () => undefined })).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(told).toHaveLength(1);
    world.kept.interfere = () => {};
    await bus.close();
  });
});

describe("the endpoint that a replay goes to, and the store's trouble", () => {
  async function shadowed() {
    const world = durableWorld();
    const made: string[] = [];
    const closed: string[] = [];
    const webhookSink = ({ id }: { readonly id: string }): Sink => {
      if (id !== '') made.push(id);
      return {
        deliver: (batch) => batch.map(() => ({ status: 'delivered' })),
        close: async () => void (id !== '' && closed.push(id)),
      };
    };
    const bus = await world.open({ webhookSink });
    await withPast(bus);
    return { ...world, bus, made, closed };
  }

  it('is made once, however often it takes to open', async () => {
    const { bus, kept, made, closed } = await shadowed();
    let refused = 0;
    kept.interfere = (call, [kind, keys]) => {
      const isReplay = call === 'get' && kind === 'progress' && (keys as string[])[0]?.includes('/~');
      if (isReplay && ++refused < 6) throw away();
    };
    const run = await start(bus, { target: 'https://shadow/' });
    await bus.time.advance(10_000);
    expect((await get(bus, run)).counts.done).toBe(3);
    expect([refused, made.length, closed.length]).toEqual([6, 1, 1]);
    await bus.close();
  });

  it('is closed also where the last commit finds no room', async () => {
    const { bus, kept, made, closed } = await shadowed();
    await start(bus, { target: 'https://shadow/', speed: 1 });
    await bus.time.advance(1_500);
    kept.interfere = (call) => {
      if (call === 'commit') throw new EventManagerError('disk_full', 'No room.');
    };
    const closing = bus.close().catch(() => {});
    await closing;
    expect([made.length, closed.length]).toEqual([1, 1]);
  });
});

describe('a subscription that another process shall serve', () => {
  it('stays while a replayed call is under way, which would be made once more', async () => {
    const calls: string[] = [];
    let engines: SeveralEngines | undefined;
    const webhookSink = (): Sink => ({
      async deliver(batch) {
        for (const { record, replay } of batch) if (replay) calls.push(record.id);
        if (batch.some(({ replay }) => replay)) await engines!.time.wait(8_000);
        return batch.map(() => ({ status: 'delivered' }));
      },
      close: async () => {},
    });
    engines = await SeveralEngines.of(1, { webhookSink });
    const [first] = engines.all as [EngineUnderTest];
    const ids: string[] = [];
    for (const name of ['a', 'b']) {
      const { id } = await first.subscribe({
        topic: '#',
        name,
        endpoint: 'https://live/',
        options: { timeoutMs: 60_000, maxConcurrency: 4 },
      });
      ids.push(id);
    }
    await engines.time.advance(3_000);
    await first.publishMany(2);
    await engines.time.advance(3_000);
    const run = await start(first);
    await engines.time.advance(500);
    await engines.open({ webhookSink });
    await engines.time.advance(120_000);
    expect((await get(first, run)).counts.done).toBe(4);
    // One of the two went over, when it could.
    expect(engines.shares(ids)).toEqual([1, 1]);
    expect(calls).toHaveLength(4);
    await engines.close();
  });
});

describe('what is kept of runs', () => {
  it('is no more than a hundred words of each', async () => {
    const bus = await openMemory();
    await withPast(bus);
    const run = await start(bus, { speed: 0.001 });
    for (let times = 0; times < 70; times++) {
      await bus.time.run(bus.engine.runs.pause(ANONYMOUS, run.id));
      await bus.time.run(bus.engine.runs.resume(ANONYMOUS, run.id));
    }
    const { words, createdAtMs } = await get(bus, run);
    expect([words.length, words[0]!.what, words.at(-1)!.what]).toEqual([100, 'started', 'resumed']);
    expect(createdAtMs).toBe(run.createdAtMs);
    await bus.close();
  });

  it('goes with a run that was cancelled while nobody served its subscription', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    const id = await withPast(bus);
    const run = await start(bus, { speed: 0.5 });
    await bus.time.advance(3_000);
    await detach(bus, id);
    const cancelled = await cancel(bus, run);
    expect(cancelled.parts[0]!.state).toBe('open');
    const records = new RunRecords(kept.kept.state);
    const [found] = await records.get([run.id]);
    await records.remove(found!.record);
    expect(await keysWith(kept.kept.state, run.id)).toEqual([]);
    await bus.close();
  });
});

async function keysWith(state: StateStore, word: string): Promise<string[]> {
  const keys: string[] = [];
  for (const kind of ['run', 'run-part', 'progress', 'owed', 'blocked'] as const) {
    const { entries } = await state.load(kind, { limit: 1_000 });
    keys.push(...entries.map(({ key }) => `${kind} ${key}`).filter((key) => key.includes(word)));
  }
  return keys;
}

it('a redrive that is cancelled after its last step was refused is over, and says what became of the letters', async () => {
  const { start: open, receiver, kept } = redriveWorld();
  const bus = await open();
  await bus.publishMany(20);
  await bus.settled();
  receiver.isWell = true;
  let isAway = false;
  kept.interfere = (call, [changes]) => {
    if (call !== 'commit') return;
    const isStep = (changes as { kind: string }[]).some(({ kind }) => kind === 'dead-letter');
    if (isAway && isStep) throw away();
  };
  isAway = true;
  const run = await redrive(bus, { all: true, rate: 10 });
  await bus.time.advance(1_000);
  const cancelling = bus.engine.runs.cancel(ANONYMOUS, run.id);
  await bus.time.advance(700);
  isAway = false;
  await bus.time.run(cancelling);
  await bus.time.advance(5_000);
  const { counts, parts } = await get(bus, run);
  expect(parts.map(({ state }) => state)).toEqual(['cancelled']);
  const states = byState(await bus.deadLetters());
  expect(states['redriven']).toBe(counts.done);
  await bus.close();
});
