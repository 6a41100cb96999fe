import type { DeliveryContext, Event, EventManager, Run } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'test', topic: 'order/created', payload: {} };

/** Replays, and how runs are looked at and controlled. */
export function replayConformance(start: StartEventManager): void {
  describe('a replay', () => {
    it('delivers events of the past once more, marked, and is over then', async () => {
      const { events } = await start();
      const { seen, id } = await subscribed(events);
      for (let n = 1; n <= 3; n++) await events.publish({ ...EVENT, payload: { n } });
      await until('the deliveries', () => seen.length === 3);
      const run = await events.replay({ topic_pattern: 'order.*', subscriber_ids: [id], note: 'once more' });
      const ended = await over(events, run);
      const replayed = seen.slice(3);
      expect(replayed.map(({ event }) => event.payload['n'])).toEqual([1, 2, 3]);
      expect(replayed.map(({ context }) => context.replay?.id)).toEqual([run.id, run.id, run.id]);
      expect(ended).toMatchObject({ kind: 'replay', state: 'done', note: 'once more' });
      expect(ended.counts).toEqual({ total: 3, done: 3, failed: 0, skipped: 0 });
      expect((await events.listRuns({ kind: 'replay' })).map((one) => one.id)).toEqual([run.id]);
    });

    it('only says what it would do when it is asked so', async () => {
      const { events } = await start();
      const { seen } = await subscribed(events);
      await events.publish(EVENT);
      await until('the deliveries', () => seen.length === 1);
      const preview = await events.replayEvents({ all: true, dryRun: true });
      expect(preview).toMatchObject({ dryRun: true, count: 1, complete: true });
      expect(preview.sample).toHaveLength(1);
      expect(await events.listRuns()).toEqual([]);
    });

    it('stands still, goes on and ends at a word, and says what it gave up on', async () => {
      const { events } = await start();
      const { seen } = await subscribed(events, (context) => context.replay !== undefined);
      for (let n = 1; n <= 3; n++) await events.publish({ ...EVENT, payload: { n } });
      await until('the deliveries', () => seen.length === 3);
      // Slow enough to be met while it runs.
      const { id } = await events.replay({ all: true, speed: 4 });
      await until('a failure', async () => (await events.getRun(id)).counts.failed > 0);
      expect((await events.pauseRun(id)).state).toBe('paused');
      expect((await events.resumeRun(id)).state).toBe('running');
      expect((await over(events, { id })).counts).toMatchObject({ done: 0, failed: 3 });
      expect(await events.getRunReport(id)).toHaveLength(3);
      expect(await events.listDeadLetters()).toEqual([]);
      await expect(events.cancelRun(id)).rejects.toMatchObject({ code: 'run_ended' });
    });
  });
  refused(start);
}

function refused(start: StartEventManager): void {
  describe('a replay that cannot be meant', () => {
    it('is refused with its reason', async () => {
      const { events } = await start();
      for (const nothing of [{}, { to: 'latest', speed: 10, target: 'https://shadow.example/' }, { all: false }]) {
        await expect(events.replay(nothing)).rejects.toMatchObject({
          ...{ code: 'invalid_run', details: { pointer: '/all' } },
          message: expect.stringContaining('ask for all that are kept'),
        });
      }
      await expect(events.replay(undefined as never)).rejects.toMatchObject({ code: 'invalid_run' });
      // What is no `true` must not deliver in earnest.
      await expect(events.replay({ all: true, dryRun: null } as never)).rejects.toMatchObject({
        ...{ code: 'invalid_run', details: { pointer: '/dryRun' } },
      });
      const reversed = { from: '2026-11-21T00:00:00Z', to_timestamp: '2026-11-20T00:00:00Z' };
      await expect(events.replay(reversed)).rejects.toMatchObject({
        ...{ code: 'invalid_run', details: { pointer: '/to_timestamp' } },
      });
      await expect(events.replay({ from: 'banana' })).rejects.toMatchObject({
        ...{ code: 'invalid_cursor', details: { pointer: '/from' } },
        message: expect.stringContaining('earliest, latest, a time'),
      });
      await expect(events.replay({ from: 'latest', speed: 'slow' as 'max' })).rejects.toMatchObject({
        code: 'invalid_run',
      });
      await expect(events.replay({ subscribers: ['nobody'] })).rejects.toMatchObject({
        code: 'subscription_not_found',
      });
      await expect(events.getRun('0198c0de-0000-7000-8000-00000000000a')).rejects.toMatchObject({
        code: 'run_not_found',
      });
    });
  });
}

interface Seen {
  readonly event: Event;
  readonly context: DeliveryContext;
}

async function subscribed(events: EventManager, fails: (context: DeliveryContext) => boolean = () => false) {
  const seen: Seen[] = [];
  const { id } = await events.subscribe({
    ...{ topic: 'order/#', name: 'orders' },
    handler: (event, context) => {
      seen.push({ event, context });
      return fails(context) ? { success: false, retry: false, error: 'no' } : undefined;
    },
  });
  return { seen, id };
}

async function over(events: EventManager, { id }: Pick<Run, 'id'>): Promise<Run> {
  await until('the end of the run', async () => (await events.getRun(id)).endedAtMs !== undefined);
  return events.getRun(id);
}
