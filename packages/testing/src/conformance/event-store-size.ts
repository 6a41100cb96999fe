import { describe, expect, it } from 'vitest';
import { allStored, sampleEvents } from './sample-event.ts';
import type { ConformanceHarness, StartSubject, Subject } from './subject.ts';

interface Size {
  readonly bytes: number;
  readonly events: number;
}

/** How large the log is, where the store knows it: retention by size and number goes by what it says. */
export function sizeConformance(harness: ConformanceHarness, start: StartSubject): void {
  describe('the size of the log', () => {
    it('is that of the events that can be read, also after a reopening', async () => {
      const subject = await start();
      const empty = await sizeOf(subject);
      if (!empty) return;
      expect(empty).toEqual({ bytes: 0, events: 0 });
      allStored(await subject.store.append(sampleEvents(40)));
      const before = (await sizeOf(subject))!;
      expect(before.events).toBe(40);
      await subject.throughReopen();
      expect(await sizeOf(subject)).toEqual(before);
      await subject.store.append(sampleEvents(40));
      expect(await sizeOf(subject), 'of duplicates').toEqual(before);
    });

    it.skipIf(!harness.supports.trim)('shrinks with what is trimmed, wherever that ends', async () => {
      const subject = await start();
      if (!(await sizeOf(subject))) return;
      const places = allStored(await subject.store.append(sampleEvents(60))).map(({ place }) => place);
      let before = (await sizeOf(subject))!;
      for (const left of [59, 40, 39, 3, 0]) {
        await subject.store.trim([places[59 - left]!]);
        const after = (await sizeOf(subject))!;
        expect(after.events).toBe(left);
        expect(after.bytes).toBeLessThan(before.bytes);
        await subject.throughReopen();
        expect((await sizeOf(subject))!.events).toBe(left);
        before = after;
      }
      expect(before).toEqual({ bytes: 0, events: 0 });
      allStored(await subject.store.append(sampleEvents(2, 60)));
      expect((await sizeOf(subject))!.events).toBe(2);
    });
  });
}

/** `undefined` where the store does not know. */
async function sizeOf({ store }: Subject): Promise<Size | undefined> {
  const bounds = await store.bounds();
  if (bounds.some(({ bytes, events }) => bytes === undefined || events === undefined)) return undefined;
  const sum = (what: 'bytes' | 'events') => bounds.reduce((total, entry) => total + entry[what]!, 0);
  return { bytes: sum('bytes'), events: sum('events') };
}
