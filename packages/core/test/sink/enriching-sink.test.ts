import { describe, expect, it } from 'vitest';
import type { DeliverOptions, Delivery, Outcome, Sink } from '../../src/contracts/sink.ts';
import { type Enrich, enrichingSink } from '../../src/sink/enriching-sink.ts';

const ID = '0198c0de-0000-7000-8000-000000000001';

function delivery(type: string): Delivery {
  const body = Buffer.from(
    JSON.stringify({ id: ID, type, source: 's', timestamp: '2026-11-20T08:00:00.000Z', metadata: {}, payload: {} }),
  );
  const place = { partition: 0, position: 1 };
  return {
    record: { id: ID, place, recordedAtMs: 0, topic: type, lane: 2, flags: 0, body },
    subscriptionId: 's',
    attempt: 1,
  };
}

function setUp(enrich: Enrich | undefined, outcomes?: readonly Outcome[]) {
  const sent: Record<string, unknown>[] = [];
  const settled: number[] = [];
  const inner: Sink = {
    deliver(batch, options) {
      for (const { record } of batch) sent.push(JSON.parse(Buffer.from(record.body).toString()));
      options.settled?.(batch.length - 1, { status: 'delivered' });
      return outcomes ?? batch.map(() => ({ status: 'delivered' }));
    },
    close: async () => {},
  };
  const options = { deadlineAtMs: 5, settled: (index: number) => settled.push(index) } as unknown as DeliverOptions;
  const sink = enrichingSink(inner, () => enrich);
  return { sent, settled, deliver: (...types: string[]) => sink.deliver(types.map(delivery), options) };
}

/** What is sent in place of an event must be told apart from the event by nothing but what was added. */
describe('enrichingSink', () => {
  it('sends the stored bytes while nobody enriches', () => {
    const { sent, deliver } = setUp(undefined);
    expect(deliver('a')).toEqual([{ status: 'delivered' }]);
    expect(sent).toEqual([expect.objectContaining({ type: 'a', id: ID })]);
  });

  it('sends what the handler made, under the id of the event', async () => {
    const { sent, deliver } = setUp((event) => ({ ...event, id: 'another', aasContext: { userRelevance: 0.5 } }));
    expect(await deliver('a')).toEqual([{ status: 'delivered' }]);
    expect(sent).toEqual([
      expect.objectContaining({ id: ID, timestamp: '2026-11-20T08:00:00.000Z', aasContext: { userRelevance: 0.5 } }),
    ]);
  });

  it('sends the event as it is when the handler returns nothing', async () => {
    const { sent, deliver } = setUp(async () => undefined);
    await deliver('a');
    expect(sent).toEqual([expect.objectContaining({ type: 'a' })]);
  });

  it('fails the one whose handler throws or refuses, and delivers its neighbours', async () => {
    const { sent, settled, deliver } = setUp((event) => {
      if (event.type === 'throws') throw new TypeError('no context');
      if (event.type === 'refuses') return { success: false, retry: false, error: 'not for the assistant' };
      return undefined;
    });
    expect(await deliver('throws', 'a', 'refuses', 'b')).toEqual([
      { status: 'retry', error: { code: 'handler_error', message: 'TypeError: no context' } },
      { status: 'delivered' },
      { status: 'reject', error: { code: 'handler_error', message: 'not for the assistant' } },
      { status: 'delivered' },
    ]);
    expect(sent.map(({ type }) => type)).toEqual(['a', 'b']);
    // The sink counted two; the engine knows the second of them as its fourth.
    expect(settled).toEqual([3]);
  });
});
