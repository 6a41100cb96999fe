import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS } from '@event-manager/core';
import { checkHistory, HistoryFile, type HistoryReport, readHistory, SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { LoopVolume, whyNoLoopVolume } from './support/loop-volume.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** `CUTS=60 SEED=7` runs it longer, or again. */
const CUTS = Number(process.env['CUTS'] ?? 20);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
/** Each life acknowledges so many events before its power is cut. */
const ACKNOWLEDGED_MIN = 2_500;
const ACKNOWLEDGED_MORE = 1_500;
const WRITER = fileURLToPath(new URL('./support/power-loss-writer.ts', import.meta.url));

it(
  `loses nothing that was acknowledged in ${CUTS} power cuts`,
  async (context) => {
    skipUnlessPossible(context);
    const report = await run({ cuts: CUTS });
    print('power-loss', report);
    expect(report.acked).toBeGreaterThanOrEqual(CUTS * ACKNOWLEDGED_MIN);
    expect(report, `SEED=${SEED} CUTS=${CUTS}`).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
    const [audit, log] = ['audit', 'log'].map((name) =>
      report.subscriptions.find((entry) => entry.subscription === name),
    );
    expect(audit!.duplicates).toBeLessThanOrEqual(CUTS * DEFAULT_LIMITS.inFlightMax);
    // The log itself is in order. Deliveries need not be: what may have been under way in a crash comes again one at a
    // time, as a second attempt, and later events need not wait for it.
    expect(log).toMatchObject({ delivered: audit!.delivered, duplicates: 0, inversions: 0 });
  },
  60_000 + CUTS * 10_000,
);

it('would notice: a journal that acknowledges before it syncs is caught', async (context) => {
  skipUnlessPossible(context);
  const report = await run({ cuts: 3, planted: 'acknowledge-before-sync' });
  print('power-loss control', report);
  expect(report.lost).toBeGreaterThan(0);
});

function skipUnlessPossible(context: TestContext): void {
  const reason = whyNoLoopVolume();
  if (reason === undefined) return;
  if (process.env['CI']) expect.fail(`The power-loss test must run in CI: ${reason}.`);
  context.skip(reason);
}

function print(test: string, report: HistoryReport): void {
  process.stdout.write(
    `${JSON.stringify({ test, seed: SEED, ...report, subscriptions: undefined, examples: undefined })}\n`,
  );
}

async function run({ cuts, planted = '' }: { cuts: number; planted?: string }): Promise<HistoryReport> {
  const chance = new SeededChance(SEED);
  const directory = temporaryDirectory();
  const volume = new LoopVolume(directory);
  onTestFinished(() => volume.unmount());
  const historyPath = join(directory, 'history.ndjson');
  const history = new HistoryFile(historyPath);
  for (const subscription of ['audit', 'log']) history.add({ kind: 'subscribe', subscription });
  history.close();
  const environment = { ...process.env, PLANTED: planted, NODE_COMPILE_CACHE: join(directory, 'compiled') };
  const start = (mode: string) =>
    spawn(process.execPath, ['--conditions=source', WRITER, mode, join(volume.mountPoint, 'journal'), historyPath], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  for (let cut = 0; cut < cuts; cut++) {
    const writer = start('write');
    const ended = once(writer, 'exit');
    await acknowledged(writer, ACKNOWLEDGED_MIN + Math.floor(chance.fraction() * ACKNOWLEDGED_MORE));
    // A real power cut takes the program with the disk. `shutdown` alone does not, and the kernel (6.18) then answers a sync that
    // is under way as done without doing it: a program of ten lines that writes, syncs and notes what is synced lost noted
    // data in 6 of 120 cuts when left running, and in 0 of 200 when stopped first.
    writer.kill('SIGSTOP');
    volume.losePower();
    writer.kill('SIGKILL');
    await ended;
    volume.unmount();
    volume.mount();
  }
  const drain = start('drain');
  const complaint = complaintOf(drain);
  const [code] = await once(drain, 'exit');
  expect(code, await complaint).toBe(0);
  return checkHistory(readHistory(historyPath));
}

/** Resolves when the writer has told of so many acknowledgements; rejects with its complaint when it ends before. */
async function acknowledged(writer: ChildProcess, wanted: number): Promise<void> {
  const complaint = complaintOf(writer);
  for await (const line of createInterface(writer.stdout!)) if (Number(line) >= wanted) return;
  throw new TypeError(`The writer ended early: ${await complaint}`);
}

async function complaintOf(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const part of child.stderr!) text += part;
  return text;
}
