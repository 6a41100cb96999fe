import {
  ANONYMOUS,
  type EventStream,
  encodeCursor,
  memory,
  type StreamFrame,
  type StreamRequest,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, openMemory, openOn } from '../open-engine.ts';

function open(bus: EngineUnderTest, request: StreamRequest = {}): Promise<EventStream> {
  return bus.time.run(bus.engine.history.stream(ANONYMOUS, request));
}

function told(frame: StreamFrame): unknown {
  return frame.kind === 'event' ? JSON.parse(Buffer.from(frame.record.body).toString()).payload.n : frame.cause;
}

/** Takes frames until `count` came. */
async function take(bus: EngineUnderTest, stream: EventStream, count: number): Promise<StreamFrame[]> {
  const frames: StreamFrame[] = [];
  while (frames.length < count) frames.push(...(await bus.time.run(stream.next())));
  return frames;
}

describe('a stream', () => {
  it('gives what is published after it was opened, in order, once', async () => {
    const bus = await openMemory();
    await bus.publishMany(2);
    const stream = await open(bus);
    await bus.publishMany(3, 3);
    expect((await take(bus, stream, 3)).map(told)).toEqual([3, 4, 5]);
  });

  it('from earliest gives the whole log first and then what follows', async () => {
    const bus = await openMemory();
    await bus.publishMany(700);
    const stream = await open(bus, { from: 'earliest' });
    await bus.publishMany(1, 701);
    expect((await take(bus, stream, 701)).map(told)).toEqual(Array.from({ length: 701 }, (_, at) => at + 1));
  });

  it('continues from every cursor with exactly what follows it, from memory and after a restart', async () => {
    const world = durableWorld();
    const bus = await world.open();
    await bus.publishMany(10);
    const cursors = (await take(bus, await open(bus, { from: 'earliest' }), 10)).map((frame) => frame.cursor);
    const continuesFrom = async (engine: EngineUnderTest) => {
      for (const [at, cursor] of cursors.slice(0, 9).entries()) {
        const stream = await open(engine, { from: cursor });
        const expected = Array.from({ length: 9 - at }, (_, ahead) => at + 2 + ahead);
        expect((await take(engine, stream, 9 - at)).map(told)).toEqual(expected);
        stream.close();
      }
    };
    await continuesFrom(bus);
    await bus.close();
    await continuesFrom(await world.open());
  });

  it('continues behind an acknowledged event from the cursor of the acknowledgement', async () => {
    const bus = await openMemory();
    const { cursor } = await bus.publish({ payload: { n: 1 } });
    await bus.publishMany(1, 2);
    expect((await take(bus, await open(bus, { from: cursor }), 1)).map(told)).toEqual([2]);
  });

  it('gives only what its patterns and its filter want, and its cursor stands behind what it passed over', async () => {
    const bus = await openMemory();
    const stream = await open(bus, { topics: ['shop.*', 'bank'], filter: { types: ['good'] } });
    await bus.publish({ topic: 'shop/a', type: 'good', payload: { n: 1 } });
    await bus.publish({ topic: 'shop/a', type: 'bad', payload: { n: 2 } });
    await bus.publish({ topic: 'bank', type: 'good', payload: { n: 3 } });
    await bus.publish({ topic: 'post', type: 'good', payload: { n: 4 } });
    expect((await take(bus, stream, 2)).map(told)).toEqual([1, 3]);
    expect(stream.cursor).toBe(encodeCursor([{ partition: 0, position: 4 }]));
  });

  it('says with a gap frame that events before it were trimmed, and goes on behind them', async () => {
    const world = durableWorld();
    const first = await world.open();
    await first.publishMany(5);
    await first.close();
    await world.kept.kept.store.trim([{ partition: 0, position: 3 }]);
    const bus = await world.open();
    const stream = await open(bus, { from: encodeCursor([{ partition: 0, position: 1 }]) });
    const frames = await take(bus, stream, 3);
    expect(frames.map(told)).toEqual(['trimmed', 4, 5]);
    expect(frames[0]!.cursor).toBe(encodeCursor([{ partition: 0, position: 3 }]));
  });

  it('from earliest has no gap: it asked for what is there', async () => {
    const world = durableWorld();
    const first = await world.open();
    await first.publishMany(5);
    await first.close();
    await world.kept.kept.store.trim([{ partition: 0, position: 3 }]);
    const bus = await world.open();
    expect((await take(bus, await open(bus, { from: 'earliest' }), 2)).map(told)).toEqual([4, 5]);
  });

  it('says with a gap frame that its cursor is ahead of the log, and goes on at the head', async () => {
    const bus = await openMemory();
    await bus.publishMany(2);
    const stream = await open(bus, { from: encodeCursor([{ partition: 0, position: 50 }]) });
    expect((await take(bus, stream, 1)).map(told)).toEqual(['ahead']);
    await bus.publishMany(1, 3);
    expect((await take(bus, stream, 1)).map(told)).toEqual([3]);
  });

  it('reads from the store when it is too slow for memory, and misses nothing', async () => {
    const bus = await openMemory({ limits: { queueMaxSize: 8 } });
    const stream = await open(bus);
    for (let at = 0; at < 10; at++) await bus.publishMany(10, at * 10 + 1);
    expect((await take(bus, stream, 100)).map(told)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it('refuses a cursor, a pattern and a filter that cannot be read', async () => {
    const bus = await openMemory();
    const wrong: [StreamRequest, string][] = [
      [{ from: 'yesterday' }, 'invalid_cursor'],
      [{ topics: ['a//b'] }, 'invalid_pattern'],
      [{ filter: { nonsense: 1 } }, 'invalid_filter'],
    ];
    for (const [request, code] of wrong) await expect(open(bus, request)).rejects.toMatchObject({ code });
  });

  it('ends when it is closed, and a loop over it ends with it', async () => {
    const bus = await openMemory();
    const stream = await open(bus);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const frame of stream) seen.push(told(frame));
    })();
    await bus.publishMany(2);
    stream.close();
    await bus.time.run(reading);
    expect([seen, await stream.next()]).toEqual([[1, 2], []]);
  });

  it('leaves nothing behind when a loop over it is left', async () => {
    const time = (await openMemory()).time;
    const bus = await openOn(memory({ runtime: { clock: time } }), time);
    await bus.publishMany(2);
    const stream = await open(bus, { from: 'earliest' });
    await time.run(
      (async () => {
        for await (const _frame of stream) break;
      })(),
    );
    expect(await stream.next()).toEqual([]);
  });
});
