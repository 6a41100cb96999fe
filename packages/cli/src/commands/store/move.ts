import { isEventManagerError, type MoveProgress, type MoveReport, moveStore } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import { ProgressBar } from '../../output/progress-bar.ts';
import type { StoreFlags } from './route.ts';
import { adviceFor, storeAt } from './store-at.ts';

export async function moveStoreTo(this: CliContext, flags: StoreFlags, from: string, to: string): Promise<void> {
  const { environment, runtime } = this.surroundings;
  const output = new Output(this, flags);
  const source = storeAt(from, flags, environment);
  const target = storeAt(to, flags, environment);
  let failure: unknown;
  await this.interruptible(async (signal) => {
    const stages = new Stages(this, output);
    try {
      const onProgress = (progress: MoveProgress) => stages.show(progress);
      const options = { source: source.adapter, target: target.adapter, runtime, signal, onProgress };
      const report = await moveStore(options).finally(() => stages.end());
      // Behind the comparison a move is not interrupted any more: whoever tried is told how it ended all the same.
      this.interruption.cameTooLate();
      await output.result(resultOf(report), () => linesOf(report, source.name, target.name));
    } catch (error) {
      if (isEventManagerError(error, 'aborted')) {
        output.note(`Nothing was moved; ${source.name} is as it was.`);
        throw error;
      }
      this.interruption.cameTooLate();
      const advice = adviceFor(error, source.name, target.name);
      if (advice !== undefined) output.note(advice);
      failure = error;
    }
  });
  // Also when it was interrupted: that is not why it failed, and the source may be marked.
  if (failure !== undefined) throw failure;
}

/** A bar for each stage on a terminal, a line for each elsewhere. */
class Stages {
  readonly #context: CliContext;
  readonly #output: Output;
  #stage: MoveProgress['stage'] | undefined;
  #bar: ProgressBar | undefined;

  constructor(context: CliContext, output: Output) {
    this.#context = context;
    this.#output = output;
  }

  show({ stage, done, total }: MoveProgress): void {
    if (stage !== this.#stage) {
      this.end();
      this.#stage = stage;
      this.#output.note(`${stage} …`);
      const { environment, runtime } = this.#context.surroundings;
      const unit = stage.endsWith('events') ? 'events' : 'records';
      this.#bar = new ProgressBar({ stream: this.#output.progressStream, clock: runtime.clock, environment, unit });
    }
    this.#bar?.update(done, total);
  }

  end(): void {
    this.#bar?.end();
  }
}

function resultOf(report: MoveReport) {
  return { ...report, copiedPerSecond: rate(report.events, report.copiedMs) };
}

function linesOf(report: MoveReport, from: string, to: string): string[] {
  const { first, head, events, bytes, records, checksum, copiedMs, verifiedMs } = report;
  const perSecond = rate(events, copiedMs).toLocaleString('en-US');
  return [
    `moved ${events.toLocaleString('en-US')} events (positions ${first} to ${head}, ${(bytes / 2 ** 20).toFixed(1)} MiB) and ${records.toLocaleString('en-US')} records`,
    `copied in ${seconds(copiedMs)} (${perSecond} events/s), read back and compared in ${seconds(verifiedMs)}`,
    `sha256 of both: ${checksum}`,
    `${from} is marked as moved and refuses to open; start the service on ${to}`,
  ];
}

function rate(events: number, ms: number): number {
  return Math.round((events * 1_000) / Math.max(1, ms));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
