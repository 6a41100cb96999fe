import { memory } from '@event-manager/core';
import { sampleEvent, sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { describe, expect, it } from 'vitest';

const NEWEST_FIRST = { limit: 100, direction: 'backward', budgetMs: 1000 } as const;

async function opened(maxHistorySize?: number) {
  const adapter = memory(maxHistorySize === undefined ? {} : { maxHistorySize });
  await adapter.open();
  return adapter;
}

describe('history of the memory adapter', () => {
  it('gives what was published, decoded, oldest first, by topic pattern if asked', async () => {
    const adapter = await opened();
    await adapter.store.append([sampleEvent(0), sampleEvent(1, { topic: 'orders/created' }), sampleEvent(2)]);
    expect(adapter.getHistory().map(({ id }) => id)).toEqual([0, 1, 2].map(sampleId));
    expect(adapter.getHistory('orders.*').map(({ id }) => id)).toEqual([sampleId(1)]);
    expect(adapter.getHistory()[0]!.timestamp).toBeInstanceOf(Date);
  });

  it('is bounded by maxHistorySize, which also bounds find, but not what the engine still owes', async () => {
    const adapter = await opened(3);
    await adapter.store.append(sampleEvents(10));
    expect(adapter.getHistory().map(({ id }) => id)).toEqual([7, 8, 9].map(sampleId));
    const { records, next } = await adapter.store.find({}, NEWEST_FIRST);
    expect([records.map(({ id }) => id), next]).toEqual([[9, 8, 7].map(sampleId), undefined]);
    expect((await adapter.store.read(0, 0, { limit: 100, bytesMax: 1e6 })).records).toHaveLength(10);
    expect((await adapter.store.append(sampleEvents(1)))[0]!.status).toBe('duplicate');
  });

  it('is empty after clearHistory, while what is owed stays readable', async () => {
    const adapter = await opened();
    await adapter.store.append(sampleEvents(5));
    adapter.clearHistory();
    expect(adapter.getHistory()).toEqual([]);
    expect((await adapter.store.find({}, NEWEST_FIRST)).records).toEqual([]);
    expect((await adapter.store.bounds())[0]).toMatchObject({ partition: 0, first: 1, head: 5 });
    await adapter.store.append(sampleEvents(1, 5));
    expect(adapter.getHistory().map(({ id }) => id)).toEqual([sampleId(5)]);
  });

  it('follows a trim', async () => {
    const adapter = await opened();
    await adapter.store.append(sampleEvents(5));
    await adapter.store.trim([{ partition: 0, position: 3 }]);
    expect(adapter.getHistory().map(({ id }) => id)).toEqual([3, 4].map(sampleId));
  });
});

describe('mistakes of the caller', () => {
  it('are told by TypeError: sizes, keys and partitions that cannot be', async () => {
    expect(() => memory({ maxHistorySize: -1 })).toThrow(TypeError);
    expect(() => memory({ maxHistorySize: Number.NaN })).toThrow(TypeError);
    const { state, store } = await opened();
    for (const key of ['k'.repeat(513), 'a\0b']) {
      await expect(
        state.commit([
          { kind: 'topic', key: 'good', value: 1 },
          { kind: 'topic', key },
        ]),
      ).rejects.toThrow(TypeError);
    }
    expect(await state.get('topic', ['good'])).toEqual([undefined]);
    await expect(store.read(1, 0, { limit: 1, bytesMax: 1 })).rejects.toThrow(TypeError);
    await expect(store.trim([{ partition: 1, position: 1 }])).rejects.toThrow(TypeError);
    expect(await store.get([{ partition: 1, position: 1 }])).toEqual([undefined]);
  });
});
