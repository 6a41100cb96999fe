import { ANONYMOUS, type EventHandler } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, fixedRetry, sinkOf } from '../open-engine.ts';

describe('what a subscription attempts next', () => {
  it('is never a batch with a retry in it: a retry comes alone', async () => {
    const { open } = durableWorld();
    const batches: string[][] = [];
    const bus = await open({
      webhookSink: () =>
        sinkOf((batch) => {
          batches.push(batch.map(({ record, attempt }) => `${record.place.position}#${attempt}`));
          return batch.map(({ record, attempt }) =>
            record.place.position <= 2 && attempt === 1
              ? { status: 'retry', error: { code: 'x', message: 'y' } }
              : { status: 'delivered' },
          );
        }),
    });
    const options = { batchSize: 4, maxConcurrency: 1, retryPolicy: fixedRetry(3, 100) };
    await bus.subscribe({ endpoint: 'https://a.example/', options });
    await bus.publishMany(6);
    await bus.settled();
    expect(batches).toEqual([['1#1', '2#1', '3#1', '4#1'], ['5#1', '6#1'], ['1#2'], ['2#2']]);
  });

  it('may take a batch from several lanes, the most urgent first', async () => {
    const { open } = durableWorld();
    const batches: number[][] = [];
    const bus = await open({
      webhookSink: () =>
        sinkOf((batch) => {
          batches.push(batch.map(({ record }) => record.lane));
          return batch.map(() => ({ status: 'delivered' }));
        }),
    });
    await bus.subscribe({ endpoint: 'https://a.example/', options: { batchSize: 3, maxConcurrency: 1 } });
    const inputs = [3, 2, 1, 0].map((priority) => anEvent({ priority: priority as 0 | 1 | 2 | 3 }));
    await bus.time.run(bus.engine.publishBatch(ANONYMOUS, inputs));
    await bus.settled();
    expect(batches).toEqual([[0, 1, 2], [3]]);
  });

  it('is read from the store when its body is not in memory any more', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open({ limits: { queueMaxSize: 4 } });
    const seen: unknown[] = [];
    const handler: EventHandler = async (event) => {
      seen.push(event.payload['n']);
      await time.wait(1);
    };
    await bus.subscribe({ name: 's', handler });
    await bus.publishMany(40);
    await bus.settled();
    expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(kept.calls.some(({ call }) => call === 'get')).toBe(true);
  });

  it('passes over an event that cannot be read any more, and counts it as removed', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open({ limits: { queueMaxSize: 1 } });
    const seen: unknown[] = [];
    const handler: EventHandler = async (event) => {
      seen.push(event.payload['n']);
      await time.wait(100);
    };
    const { id } = await bus.subscribe({ name: 's', handler });
    await bus.publishMany(6);
    await kept.kept.store.trim([{ partition: 0, position: 4 }]);
    await bus.settled();
    expect(seen).toEqual([1, 5, 6]);
    expect(bus.status(id).counts).toMatchObject({ delivered: 3, removed: 3 });
  });

  it('lets others have their turn while a filter refuses thousands', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const seen: string[] = [];
    await bus.subscribe({ name: 'picky', filter: { types: ['never'] }, handler: () => void seen.push('picky') });
    await bus.subscribe({ name: 'all', handler: () => void seen.push('all') });
    await bus.publishMany(3_000);
    await bus.settled();
    expect(seen.length).toBe(3_000);
  });

  it('is not withheld from a subscription by metadata that only look like those of its dead letter', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const seen: unknown[] = [];
    const { id } = await bus.subscribe({ name: 's', handler: (event) => void seen.push(event.type) });
    await bus.publish({ metadata: { deadLetterOf: id } });
    await bus.settled();
    expect(seen).toEqual(['order.created']);
  });
});
