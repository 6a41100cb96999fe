import { ANONYMOUS, isEventManagerError, type Run } from '@event-manager/core';
import type { Feature } from './feature.ts';

/**
 * Somebody has events delivered once more, and stops and resumes that, while everything goes wrong. Whatever happens to processes,
 * each event of the range ends once in what the run counts, and every one that is counted as done was taken by the receiver.
 */
export const replay: Feature = (chance) => {
  if (!chance.happens(0.3)) return undefined;
  const afterMs = 1_000 + chance.integer(6_000);
  const pauseAfterMs = chance.integer(2_000);
  const speed = chance.pick(['max', 'max', 50]);
  const started: string[] = [];
  /** Of which it was seen that they ended: the answer of a start may come after that was asked for the last time. */
  let ended: readonly string[] = [];
  return {
    ...{ afterMs, pauseAfterMs, speed },
    live(live) {
      const { time, operate, plan } = live;
      // It shares the rate, and a hundred events at twelve a minute take longer than a run lasts.
      if ('rateLimit' in plan.traits) return;
      const say = (what: 'pause' | 'resume') => {
        for (const id of started) void operate((engine) => engine.runs[what](ANONYMOUS, id));
      };
      time.after(afterMs, async () => {
        const request = { subscriptions: plan.name, speed };
        const run = await operate((engine) => engine.runs.start(ANONYMOUS, 'replay', request));
        if (run) started.push(run.id);
      });
      time.after(afterMs + pauseAfterMs, () => say('pause'));
      time.after(afterMs + 2 * pauseAfterMs, () => say('resume'));
    },
    async heal({ insist }) {
      for (const id of started) {
        await insist(async (engine) => {
          try {
            return await engine.runs.resume(ANONYMOUS, id);
          } catch (error) {
            if (isEventManagerError(error, 'run_ended')) return {};
            throw error;
          }
        });
      }
    },
    async whileHealing({ operate }) {
      for (const id of started) {
        const run = await operate((engine) => engine.runs.get(ANONYMOUS, id));
        // What was said to a process that stood still may come to pass as late as now.
        if (run?.state === 'paused') void operate((engine) => engine.runs.resume(ANONYMOUS, id));
        if (run?.endedAtMs === undefined) return `the replay ${id} has not ended: it is ${run?.state}`;
      }
      ended = [...started];
      return undefined;
    },
    async judge(_report, { insist, receiver, did }) {
      const wrong: string[] = [];
      for (const id of ended) {
        const run = await insist((engine) => engine.runs.get(ANONYMOUS, id));
        if (run.counts.done > 0) did('replay');
        wrong.push(...faultsOf(run, receiver.replayed.get(id) ?? new Map()));
      }
      return wrong;
    },
  };
};

function faultsOf({ id, state, counts }: Run, replayed: ReadonlyMap<string, readonly string[]>): string[] {
  const { total, done, failed, skipped, removed = 0 } = counts;
  const wrong: string[] = [];
  if (state !== 'done') wrong.push(`D6 the replay ${id} is ${state}`);
  const looked = done + failed + skipped + removed;
  if (total !== undefined && looked !== total) wrong.push(`D6 the replay ${id} looked at ${looked} of ${total} events`);
  const taken = [...replayed.values()].filter((kinds) => kinds.includes('ok')).length;
  if (taken < done) wrong.push(`D6 the replay ${id} counts ${done} events as done, and ${taken} were taken`);
  if (replayed.size > done + failed + skipped + removed) wrong.push(`D6 the replay ${id} sent ${replayed.size} events`);
  return wrong;
}
