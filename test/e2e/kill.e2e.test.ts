import { join } from 'node:path';
import { checkHistory, type HistoryEntry, SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { publishUntilAcknowledged } from './support/publish-until-acknowledged.ts';
import { subscribeWebhook } from './support/subscribe-webhook.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

/** `KILLS=1000 SEED=7` runs it longer, or again. */
const KILLS = Number(process.env['KILLS'] ?? 100);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
const PUBLISHERS = 4;
const WINDOW = 64;
/** Publishers wait when so much is not delivered yet, so that every kill meets deliveries under way and the end is near. */
const AHEAD_MAX = 1_000;
const LIFE_MS_MAX = 800;
/** Of the kills, those that hit a service which has not begun to listen: recovery is interrupted, too. */
const EARLY_SHARE = 0.1;
const EARLY_MS_MAX = 600;
const BYTES = [512, 16 * 1024];
const TIMEOUT_MS = 60_000 + KILLS * 6_000;

it(
  `loses nothing in ${KILLS} kills at random points under load`,
  async () => {
    const chance = new SeededChance(SEED);
    const run = await startRun();
    const publishers = Promise.all(
      Array.from({ length: PUBLISHERS }, (_, number) =>
        run.publish(`publisher-${number}`, new SeededChance(SEED + number + 1)),
      ),
    );
    for (let kill = 0; kill < KILLS; kill++) await run.killAndRestart(chance);
    run.isStopping = true;
    await publishers;
    await until('every acknowledged event has arrived', 60_000, () => run.missing() === 0);

    const report = checkHistory(run.history);
    const perKill = [...run.duplicates.values()].flatMap((counts) => [...counts.values()]);
    const line = { test: 'kill', seed: SEED, kills: KILLS, ...report, duplicatesPerKillMax: Math.max(0, ...perKill) };
    process.stdout.write(`${JSON.stringify({ ...line, subscriptions: undefined, examples: undefined })}\n`);
    expect(report, `SEED=${SEED} KILLS=${KILLS}`).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
    expect(report.acked).toBeGreaterThan(KILLS * 10);
    for (const [name, counts] of run.duplicates) {
      // A kill adds at most one window of events to those that come again; some only come after the next kill.
      let sum = 0;
      for (let kill = 0; kill <= KILLS; kill++) {
        sum += counts.get(kill) ?? 0;
        expect(sum, `${name}, SEED=${SEED}`).toBeLessThanOrEqual(WINDOW * kill);
      }
    }
  },
  TIMEOUT_MS,
);

interface Run {
  readonly history: HistoryEntry[];
  /** By subscription: how often an event came again, by the number of kills before. */
  readonly duplicates: Map<string, Map<number, number>>;
  isStopping: boolean;
  publish(client: string, chance: SeededChance): Promise<void>;
  killAndRestart(chance: SeededChance): Promise<void>;
  /** Acknowledged events that have not reached everybody yet. */
  missing(): number;
}

async function startRun(): Promise<Run> {
  const directory = temporaryDirectory();
  const environment = {
    EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback',
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
  };
  const dataDir = join(directory, 'data');
  // Only a process that ends in order writes down what it compiled; all others start from that.
  await (await ServiceProcess.start({ dataDir, port: 0, environment })).stop('SIGTERM');
  let service = await ServiceProcess.start({ dataDir, port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const { url, port } = service;
  const history: HistoryEntry[] = [];
  const duplicates: Run['duplicates'] = new Map();
  const awaited = new Map([
    ['all', new Set<string>()],
    ['big', new Set<string>()],
  ]);
  const seen = new Map([...awaited.keys()].map((name) => [name, new Set<string>()]));
  let kills = 0;

  for (const [name, topic] of [
    ['all', '#'],
    ['big', 'load.big'],
  ] as const) {
    const counts = new Map<number, number>();
    duplicates.set(name, counts);
    const onEvent = ({ id }: { id: string }) => {
      if (seen.get(name)!.has(id)) counts.set(kills, (counts.get(kills) ?? 0) + 1);
      seen.get(name)!.add(id);
      awaited.get(name)!.delete(id);
    };
    await subscribeWebhook({ url, name, topic, history, options: { inFlightMax: WINDOW }, onEvent });
  }
  const missing = () => [...awaited.values()].reduce((sum, ids) => sum + ids.size, 0);

  const run: Run = {
    history,
    duplicates,
    isStopping: false,
    missing,
    async publish(client, chance) {
      for (let number = 0; !run.isStopping; number++) {
        if (missing() > AHEAD_MAX)
          await until('deliveries catch up', 60_000, () => missing() <= AHEAD_MAX || run.isStopping);
        const isBig = chance.fraction() < 0.3;
        const subscriptions = isBig ? ['all', 'big'] : ['all'];
        const payload = { client, number, padding: 'x'.repeat(BYTES[isBig ? 1 : 0]! - 200) };
        const event = { id: crypto.randomUUID(), type: isBig ? 'load.big' : 'load.small', source: client, payload };
        await publishUntilAcknowledged(event, { url, client, history, subscriptions });
        for (const name of subscriptions) if (!seen.get(name)!.has(event.id)) awaited.get(name)!.add(event.id);
      }
    },
    async killAndRestart(random) {
      await pause(random.fraction() * LIFE_MS_MAX);
      await service.stop('SIGKILL');
      kills++;
      service = new ServiceProcess({ dataDir, port, environment });
      if (random.fraction() < EARLY_SHARE) {
        await pause(random.fraction() * EARLY_MS_MAX);
        return;
      }
      await service.listening();
    },
  };
  return run;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
