import type { EventManagerClient } from '@event-manager/client';
import type { Run } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { orAborted } from '../../input/or-aborted.ts';
import type { Output } from '../../output/output.ts';
import { ProgressBar } from '../../output/progress-bar.ts';
import { printRun } from './run-lines.ts';

const LOOK_EVERY_MS = 250;

/** Waits for the end of a run, drawing how far it is. Whoever interrupts that stops watching; the run goes on. */
export async function followRun(
  context: CliContext,
  client: EventManagerClient,
  begun: Run,
  output: Output,
): Promise<void> {
  const { environment, runtime } = context.surroundings;
  const { clock, timers } = runtime;
  const bar = new ProgressBar({ stream: output.progressStream, clock, environment, unit: 'events' });
  let run = begun;
  await context.interruptible(async (signal) => {
    while (run.endedAtMs === undefined && !signal.aborted) {
      const wait = new Promise<void>((resolve) => void timers.after(LOOK_EVERY_MS, resolve, true));
      await orAborted(wait, signal);
      if (signal.aborted) break;
      run = await client.getRun(run.id);
      const { done, failed, skipped, total } = run.counts;
      bar.update(done + failed + skipped, total);
    }
  });
  bar.end();
  if (run.endedAtMs === undefined) {
    output.note(`it goes on: event-manager runs show ${run.id}`);
    return;
  }
  await printRun(client, output, run);
  if (run.state !== 'done') context.end('failed');
  else if (run.counts.failed > 0) context.end('partly');
}
