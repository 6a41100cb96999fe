import type { EventManager, Run } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'test', topic: 'order/created', payload: {} };

/** Dead letters that are looked at by their causes, redriven and discarded. */
export function redriveConformance(start: StartEventManager): void {
  describe('dead letters', () => {
    it('are delivered once more, and say by whom and why', async () => {
      const { events } = await start();
      const { seen, receiver } = await withLetters(events, 3);
      receiver.isWell = true;
      const run = await events.redrive({ types: ['order.*'], note: 'the shelf is free' });
      const ended = await over(events, run);
      await until('the deliveries', () => seen.length === 6);
      expect(ended).toMatchObject({ kind: 'redrive', state: 'done', note: 'the shelf is free' });
      expect(ended.counts).toEqual({ total: 3, done: 3, failed: 0, skipped: 0 });
      expect(seen.slice(3).map(({ n }) => n)).toEqual([1, 2, 3]);
      expect(seen.slice(3).map(({ attempt }) => attempt)).toEqual([2, 2, 2]);
      const letters = await events.listDeadLetters();
      expect(letters.map(({ state, closed }) => [state, closed?.runId, closed?.note])).toEqual(
        letters.map(() => ['redriven', run.id, 'the shelf is free']),
      );
    });

    it('are delivered with another payload, where somebody edits one', async () => {
      const { events } = await start();
      const { seen, receiver } = await withLetters(events, 1);
      receiver.isWell = true;
      const [letter] = await events.listDeadLetters();
      await over(events, await events.redrive({ id: letter!.id, payload: { n: 42 } }));
      await until('the delivery', () => seen.length === 2);
      expect(seen[1]).toMatchObject({ id: letter!.eventId, n: 42, metadata: { edited: true } });
      expect((await events.getDeadLetter(letter!.id)).event).toBe(letter!.event);
    });

    it('are closed by a discard, and found no more', async () => {
      const { events } = await start();
      const { seen, receiver } = await withLetters(events, 2);
      receiver.isWell = true;
      const [first] = await events.listDeadLetters();
      await over(events, await events.discard({ ids: [first!.id] }));
      const ended = await over(events, await events.redrive({ all: true }));
      await until('the delivery', () => seen.length === 3);
      expect(ended.counts.done).toBe(1);
      expect((await events.listDeadLetters()).map(({ state }) => state)).toEqual(['discarded', 'redriven']);
      const closed = await events.listDeadLetters(undefined, { state: 'discarded' });
      expect(closed.map(({ id }) => id)).toEqual([first!.id]);
      expect(await events.listDeadLetters(undefined, { state: 'open' })).toEqual([]);
    });

    it('are counted by their causes, and by what a redrive would mean', async () => {
      const { events } = await start();
      const { seen } = await withLetters(events, 3);
      const { groups, complete } = await events.groupDeadLetters();
      expect(complete).toBe(true);
      expect(groups).toMatchObject([{ count: 3, words: 'no shelf for …' }]);
      const meant = await events.redrive({ fingerprints: groups[0]!.fingerprint, dryRun: true });
      expect(meant).toMatchObject({ count: 3, complete: true, groups: [{ count: 3 }] });
      expect([meant.sample.length, seen.length]).toEqual([3, 3]);
      expect(await events.listRuns()).toEqual([]);
    });

    resetCase(start);

    it('are asked for by what there is', async () => {
      const { events } = await start();
      await expect(events.redrive({})).rejects.toMatchObject({ code: 'invalid_run' });
      await expect(events.discard({ id: '0198c0de-0000-7000-8000-00000000000a' })).rejects.toMatchObject({
        code: 'dead_letter_not_found',
      });
    });
  });
}

function resetCase(start: StartEventManager): void {
  it('are superseded where a reset has their events owed once more, and found no more but by their ids', async () => {
    const { events } = await start();
    const { seen, receiver, subscriptionId, cursors } = await withLetters(events, 3);
    const [, ...behind] = await events.listDeadLetters();
    receiver.isWell = true;
    await events.resetSubscription(subscriptionId, { to: cursors[0]! });
    await until('what is owed once more', () => seen.length === 5);
    const states = async () => (await events.listDeadLetters()).map(({ state }) => state);
    expect(await states()).toEqual(['open', 'superseded', 'superseded']);
    const superseded = await events.listDeadLetters(undefined, { state: 'superseded' });
    expect(superseded.map(({ id }) => id)).toEqual(behind.map(({ id }) => id));
    expect((await events.getDeadLetter(behind[0]!.id)).state).toBe('superseded');
    const ended = await over(events, await events.redrive({ all: true }));
    await until('the one that the reset left alone', () => seen.length === 6);
    expect(ended.counts).toEqual({ total: 1, done: 1, failed: 0, skipped: 0 });
    await over(events, await events.redrive({ id: behind[0]!.id }));
    await until('the one that was named', () => seen.length === 7);
    expect(await states()).toEqual(['redriven', 'redriven', 'superseded']);
  });
}

interface Seen {
  readonly id: string;
  readonly n: unknown;
  readonly attempt: number;
  readonly metadata: object;
}

/** A subscription that refuses so many events, until it is well. */
async function withLetters(events: EventManager, count: number) {
  const seen: Seen[] = [];
  const receiver = { isWell: false };
  const { id: subscriptionId } = await events.subscribe({
    topic: 'order.*',
    name: 'shelf',
    handler: ({ id, payload, metadata }, { attempt }) => {
      seen.push({ id, n: payload['n'], attempt, metadata });
      return receiver.isWell ? undefined : { success: false, retry: false, error: `no shelf for ${payload['n']}` };
    },
  });
  const cursors: string[] = [];
  for (let n = 1; n <= count; n++) {
    const published = await events.publish({ ...EVENT, payload: { n } });
    if ('cursor' in published) cursors.push(published.cursor as string);
  }
  await until('the letters', async () => (await events.listDeadLetters()).length === count);
  return { seen, receiver, subscriptionId, cursors };
}

async function over(events: EventManager, { id }: Pick<Run, 'id'>): Promise<Run> {
  await until('the end of the run', async () => (await events.getRun(id)).endedAtMs !== undefined);
  return events.getRun(id);
}
