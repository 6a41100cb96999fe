import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LANE_NAMES, PageQueue } from '../../src/browser/page-queue.ts';

const bytes = new Uint8Array();
const frame = (cursor: number, lane: number | undefined) => ({ bytes, cursor: String(cursor), lane });

it('sheds the least urgent first, the oldest of its lane, and says so once', () => {
  const queue = new PageQueue(4);
  for (const [cursor, lane] of [3, 2, 1, 0].entries()) expect(queue.push(frame(cursor, lane), 'sent')).toEqual([]);
  expect(queue.push(frame(4, 0), 'sent')).toEqual(['LOW']);
  expect(queue.push(frame(5, 0), 'later')).toEqual(['NORMAL']);
  expect(queue.push(frame(6, 3), 'later')).toEqual(['LOW']);
  expect(queue.takeShed()).toEqual({
    counts: { CRITICAL: 0, HIGH: 0, NORMAL: 1, LOW: 2 },
    after: 'sent',
    through: '6',
  });
  expect(queue.takeShed()).toBeUndefined();
  expect(Array.from({ length: 5 }, () => queue.shift()?.cursor)).toEqual(['2', '3', '4', '5', undefined]);
});

it('never sheds what says something of the log', () => {
  const queue = new PageQueue(2);
  queue.push(frame(1, undefined), '');
  queue.push(frame(2, 0), '');
  expect(queue.push(frame(3, 0), '')).toEqual(['CRITICAL']);
  expect(queue.push(frame(4, undefined), '')).toEqual([]);
  expect([queue.shift(), queue.shift(), queue.shift()].map((each) => each?.cursor)).toEqual(['1', '3', '4']);
});

it('keeps so many bytes, and sheds as many events as a larger one needs', () => {
  const queue = new PageQueue(100, 1_000);
  const large = (cursor: number, lane: number, length: number) => ({
    ...frame(cursor, lane),
    bytes: new Uint8Array(length),
  });
  for (let cursor = 0; cursor < 4; cursor++) expect(queue.push(large(cursor, 3, 250), 'sent')).toEqual([]);
  expect(queue.push(large(4, 2, 600), 'sent')).toEqual(['LOW', 'LOW', 'LOW']);
  expect(queue.push(large(5, 3, 500), 'sent')).toEqual(['LOW', 'LOW']);
  expect([queue.shift(), queue.shift()].map((each) => each?.cursor)).toEqual(['4', undefined]);
  // One that is larger than all of it goes out where nothing else waits.
  expect(queue.push(large(6, 3, 5_000), 'sent')).toEqual([]);
  expect(queue.push(large(7, 0, 1), 'sent')).toEqual(['LOW']);
});

it('says up to where something was shed, whichever gave way last', () => {
  const queue = new PageQueue(2);
  for (const [cursor, lane] of [2, 3, 0, 0].entries()) queue.push(frame(cursor, lane), 'sent');
  expect(queue.takeShed()).toMatchObject({ counts: { NORMAL: 1, LOW: 1 }, through: '1' });
});

/** Against a plain list: what is kept, in which order, and what is counted. */
it('keeps the most urgent of everything, in the order of the log', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant('take' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (max, taken) => {
      const queue = new PageQueue(max);
      const model: { cursor: number; lane: number }[] = [];
      const shed = [0, 0, 0, 0];
      taken.forEach((step, cursor) => {
        if (step === 'take') {
          expect(queue.shift()?.cursor).toBe(model.shift()?.cursor.toString());
          return;
        }
        queue.push(frame(cursor, step), '');
        model.push({ cursor, lane: step });
        if (model.length <= max) return;
        const worst = Math.max(...model.map(({ lane }) => lane));
        shed[worst]!++;
        model.splice(
          model.findIndex(({ lane }) => lane === worst),
          1,
        );
      });
      expect(queue.size).toBe(model.length);
      const counts = queue.takeShed()?.counts;
      expect(LANE_NAMES.map((name) => counts?.[name] ?? 0)).toEqual(shed);
    }),
  );
});
