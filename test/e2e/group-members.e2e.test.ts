import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EventManagerClient } from '@event-manager/client';
import { SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

const KILLS = Number(process.env['KILLS'] ?? 8);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
const EVENTS = 4_000;
/** Of each member: what a kill may hand to the other one, for all that anybody knows. */
const CONCURRENCY = 16;

interface Handled {
  readonly number: number;
  readonly attempt: number;
}

/** A member that runs as a program of its own. */
class Worker {
  readonly handled: Handled[] = [];
  isReady = false;
  readonly #child: ChildProcess;

  constructor(url: string) {
    const program = join(import.meta.dirname, 'support/group-worker.ts');
    const child = spawn(process.execPath, ['--conditions=source', program, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const said = JSON.parse(line);
      if ('ready' in said) this.isReady = true;
      else this.handled.push(said);
    });
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** If this failed, a worker that dies would take its events along, or they would wait for its timeout. */
it(`two programs share a subscription while one of them is killed ${KILLS} times`, {
  timeout: 120_000 + KILLS * 5_000,
}, async () => {
  const chance = new SeededChance(SEED);
  const service = await ServiceProcess.start({ dataDir: join(temporaryDirectory(), 'data'), port: 0 });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const { url } = service;
  await using events = new EventManagerClient(url);
  const workers = [new Worker(url), new Worker(url)];
  const start = (worker: Worker) => until('the worker is there', 20_000, () => worker.isReady);
  await Promise.all(workers.map(start));
  const handled = () => workers.flatMap((worker) => worker.handled);
  const [subscription] = await events.listSubscriptions();
  expect((await events.getSubscription(subscription!.id)).status.members).toBe(2);

  let kills = 0;
  let published = 0;
  const publisher = (async () => {
    while (published < EVENTS) {
      // No more than a few hundred ahead, so that every kill hits somebody at work.
      while (published - handled().length > 300) await new Promise((resolve) => setTimeout(resolve, 5));
      await events.publish({ type: 'load.made', source: 'test', payload: { number: published++ } });
    }
  })();
  const steadfast = workers[0]!;
  let victim = workers[1]!;
  let slowestMs = 0;
  while (kills < KILLS) {
    const at = (kills + chance.fraction()) * (EVENTS / KILLS);
    await until('both have worked', 60_000, () => handled().length >= at && victim.handled.length > 0);
    const before = steadfast.handled.length;
    await victim.kill();
    kills++;
    const killedAtMs = performance.now();
    const isGoingOn = () => steadfast.handled.length > before + CONCURRENCY || handled().length >= EVENTS;
    await until('the other one goes on', 10_000, isGoingOn);
    slowestMs = Math.max(slowestMs, performance.now() - killedAtMs);
    victim = new Worker(url);
    workers.push(victim);
    await start(victim);
  }
  await publisher;
  const numbers = () => new Set(handled().map(({ number }) => number));
  await until('every event was handled', 30_000, () => numbers().size === EVENTS);

  const attempts = Map.groupBy(handled(), ({ number }) => number);
  const repeated = [...attempts.values()].filter((of) => of.length > 1);
  const isHigher = repeated.every((of) => new Set(of.map(({ attempt }) => attempt)).size === of.length);
  const letters = await events.listDeadLetters();
  const report = { events: EVENTS, kills, twice: repeated.length, slowestMs: Math.round(slowestMs) };
  process.stdout.write(`${JSON.stringify({ test: 'group-members', seed: SEED, ...report })}\n`);
  expect(isHigher, `SEED=${SEED}`).toBe(true);
  expect(repeated.length).toBeLessThanOrEqual(KILLS * CONCURRENCY);
  // Without a retry left, one failure would have made a dead letter.
  expect(letters).toEqual([]);
  // The last one may have come when all was done.
  expect(workers.slice(0, -1).every((worker) => worker.handled.length > 0)).toBe(true);
});
