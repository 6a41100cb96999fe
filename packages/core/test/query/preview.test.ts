import { ANONYMOUS, EventManagerError, type FilterPreview, type PreviewRequest } from '@event-manager/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { context, eventIn, filter } from '../filter/arbitrary-filters.ts';
import { anEvent, type EngineUnderTest, openMemory } from '../open-engine.ts';

/** The figure of the project is 10,000 filters, which takes half a minute. */
const FILTERS = Number(process.env['PREVIEW_FILTERS'] ?? 2_000);
const EVENTS = 20;
const FILTERS_OF_A_BUS = 100;
const TOPIC = 'order/created';

function preview(bus: EngineUnderTest, request: PreviewRequest): Promise<FilterPreview> {
  return bus.time.run(bus.engine.history.preview(ANONYMOUS, request));
}

describe('a preview', () => {
  it('matches exactly what is delivered to a subscription with that filter', { timeout: 120_000 }, async () => {
    const inputs = fc.sample(fc.array(eventIn, { minLength: EVENTS, maxLength: EVENTS }), {
      numRuns: FILTERS,
      seed: 7,
    });
    const filters = fc.sample(fc.tuple(filter, context), { numRuns: FILTERS, seed: 8 });
    let matched = 0;
    for (let from = 0; from < FILTERS; from += FILTERS_OF_A_BUS) {
      const bus = await openMemory();
      const events = inputs[from]!.map((input) => ({ ...(input as object), id: crypto.randomUUID() }));
      await bus.time.run(bus.engine.publishBatch(ANONYMOUS, events));
      for (const [wanted, ids] of filters.slice(from, from + FILTERS_OF_A_BUS)) {
        const delivered: string[] = [];
        const given = { filter: wanted, ...(ids ? { context: ids } : {}) };
        const options = { startFrom: 'earliest' };
        const handler = ({ id }: { id: string }) => void delivered.push(id);
        const { id } = await bus.subscribe({ topic: '#', handler, options, ...given } as never);
        await bus.settled();
        const answer = await preview(bus, { ...given, sample: EVENTS, direction: 'forward' });
        const told = answer.matching.map((event) => event.id);
        expect([told.sort(), answer.looked, answer.matched, answer.complete]).toEqual([
          delivered.sort(),
          EVENTS,
          delivered.length,
          true,
        ]);
        expect(answer.notMatching.length).toBe(EVENTS - delivered.length);
        matched += answer.matched;
        await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
      }
      await bus.close();
    }
    process.stdout.write(
      `${JSON.stringify({ test: 'preview', filters: FILTERS, pairs: FILTERS * EVENTS, matched })}\n`,
    );
    // A comparison of refusals alone would show nothing.
    expect(matched / (FILTERS * EVENTS)).toBeGreaterThan(0.1);
    expect(matched / (FILTERS * EVENTS)).toBeLessThan(0.9);
  });

  it('goes on where the limit ended it, in either direction, and counts every event once', async () => {
    const bus = await openMemory();
    await bus.publishMany(1_050, 1, { topic: TOPIC });
    await bus.publishMany(50, 1, { topic: 'invoice/sent' });
    for (const direction of ['forward', 'backward'] as const) {
      const request = {
        topic: 'order/#',
        filter: { payload: { n: { numeric: ['>', 1_000] } } },
        direction,
        limit: 300,
      };
      const pages = [await preview(bus, request)];
      while (pages.at(-1)!.nextCursor !== undefined) {
        pages.push(await preview(bus, { ...request, cursor: pages.at(-1)!.nextCursor! }));
      }
      expect(pages.reduce((sum, { looked }) => sum + looked, 0)).toBe(1_050);
      expect(pages.reduce((sum, { matched }) => sum + matched, 0)).toBe(50);
      expect(pages.map(({ complete }) => complete)).toEqual([false, false, false, true]);
    }
    await bus.close();
  });

  it('says of alternatives which clause keeps an event out of each', async () => {
    const bus = await openMemory();
    await bus.publish({ topic: TOPIC, payload: { total: 7, country: 'DE' } });
    const wanted = { or: [{ payload: { total: 8 } }, { sources: ['shop'], payload: { country: 'AT' } }] };
    const { notMatching } = await preview(bus, { filter: wanted });
    expect(notMatching[0]).toMatchObject({
      clause: '/or',
      alternatives: [
        { clause: '/or/0/payload/total', wanted: 8, found: 7 },
        { clause: '/or/1/sources', wanted: ['shop'], found: 'test' },
      ],
    });
    await bus.close();
  });

  it('asks the registered context of a subscriber', async () => {
    const bus = await openMemory();
    await bus.publish(anEvent({ metadata: { projectId: 'p1' } }));
    await bus.time.run(bus.engine.contexts.register(ANONYMOUS, 'desk', { projectIds: ['p2'] }));
    const wanted = { projectScoped: true };
    expect(await preview(bus, { filter: wanted })).toMatchObject({ matched: 1 });
    expect(await preview(bus, { filter: wanted, subscriber: 'desk' })).toMatchObject({ matched: 0 });
    expect(await preview(bus, { filter: wanted, context: { projectIds: ['p1'] } })).toMatchObject({ matched: 1 });
    await bus.close();
  });

  it('refuses what it does not know, with its place', async () => {
    const bus = await openMemory();
    const refused: [object, string, string][] = [
      [{ colour: 'red' }, 'invalid_query', '/colour'],
      [{ limit: 0 }, 'invalid_query', '/limit'],
      [{ sample: 101 }, 'invalid_query', '/sample'],
      [{ direction: 'up' }, 'invalid_query', '/direction'],
      [{ cursor: 'x' }, 'invalid_cursor', '/cursor'],
      [{ filter: { colour: 'red' } }, 'invalid_filter', '/filter/colour'],
      [{ context: { colour: 'red' } }, 'invalid_context', '/context/colour'],
    ];
    for (const [request, code, pointer] of refused) {
      const error = await preview(bus, request).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(EventManagerError);
      expect(error).toMatchObject({ code, details: { pointer } });
    }
    await bus.close();
  });
});
