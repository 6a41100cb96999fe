import { missingServer } from '@event-manager/testing/servers';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { type Cut, type LabService, NetworkLab } from './support/network-lab.ts';
import { whyNoNetworkNamespace } from './support/network-namespace.ts';
import { PartitionRun, WINDOW } from './support/partition-run.ts';
import { until } from './support/until.ts';

/** `PARTITION_ROUNDS=3` cuts every instance off in every way. */
const ROUNDS = Number(process.env['PARTITION_ROUNDS'] ?? 1);
const INSTANCES = 3;
const CUTS: readonly Cut[] = ['both ways', 'there', 'back'];
/** Two leases. */
const CUT_MS = 12_000;
const TAKE_OVER_MS_MAX = 10_000;
const HEALED_MS_MAX = 10_000;
const SHARED_MS_MAX = 20_000;
const TIMEOUT_MS = 120_000 + ROUNDS * INSTANCES * (CUT_MS + 30_000);

/** If this failed, a switch that dies would lose events, or leave two instances that both serve a subscription. */
it('loses nothing and is never of two minds while each instance is cut off from the database', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  await skipUnlessPossible(context, ['postgres']);
  const { lab, run } = await startLab('database');
  const facts = { movedMs: [] as number[], healedMs: [] as number[] };
  for (let cut = 0; cut < ROUNDS * INSTANCES; cut++) {
    const at = cut % INSTANCES;
    const { movedMs, healedMs } = await cutOff(lab, run, at, ['database'], wayOf(cut));
    facts.movedMs.push(movedMs);
    facts.healedMs.push(healedMs);
  }
  await judge(run, 'partitions', facts);
});

/** If this failed, a Redis that is meant to make things faster would be one more thing that can take them down. */
it('goes on without Redis, and is never of two minds, while each instance is cut off from Redis and one from everything', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  await skipUnlessPossible(context, ['postgres', 'redis']);
  const { lab, run } = await startLab('database and redis');
  const facts = { movedMs: [] as number[], healedMs: [] as number[] };
  for (let cut = 0; cut < ROUNDS * INSTANCES; cut++) {
    const at = cut % INSTANCES;
    lab.cut(at, 'redis', wayOf(cut));
    await until(
      'it says that Redis is away',
      CUT_MS,
      async () => (await run.healthOf(at)).adapter.impairment !== undefined,
    );
    expect((await fetch(`${run.instances[at]!.url}/readyz`)).status).toBe(200);
    lab.heal(at);
    const isWell = async () => (await run.healthOf(at)).status === 'ok';
    await until('it is well again', HEALED_MS_MAX, isWell);
  }
  const { movedMs, healedMs } = await cutOff(lab, run, 0, ['database', 'redis'], 'both ways');
  facts.movedMs.push(movedMs);
  facts.healedMs.push(healedMs);
  await judge(run, 'partitions-with-redis', facts);
});

async function startLab(services: 'database' | 'database and redis'): Promise<{ lab: NetworkLab; run: PartitionRun }> {
  const lab = new NetworkLab(INSTANCES);
  onTestFinished(() => lab.remove());
  return { lab, run: await PartitionRun.start(lab, services) };
}

/** The other two take over what it holds, and it says how it is; then it is connected again, and comes back by itself. */
async function cutOff(
  lab: NetworkLab,
  run: PartitionRun,
  at: number,
  services: readonly LabService[],
  way: Cut,
): Promise<{ movedMs: number; healedMs: number }> {
  await until('it has its share of the subscriptions', SHARED_MS_MAX, () => run.heldBy(at) > 0);
  const cutAtMs = performance.now();
  for (const service of services) lab.cut(at, service, way);
  await until(`the others hold what ${run.names[at]} held`, TAKE_OVER_MS_MAX, () => run.heldBy(at) === 0);
  const movedMs = Math.round(performance.now() - cutAtMs);
  const isAway = async () => (await run.healthOf(at)).adapter.status === 'unavailable';
  await until('it says that it is cut off', CUT_MS, isAway);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, CUT_MS - (performance.now() - cutAtMs))));
  const healedAtMs = performance.now();
  lab.heal(at);
  await until('it is well again', HEALED_MS_MAX, async () => (await run.healthOf(at)).status === 'ok');
  return { movedMs, healedMs: Math.round(performance.now() - healedAtMs) };
}

async function judge(run: PartitionRun, test: string, facts: { readonly movedMs: readonly number[] }): Promise<void> {
  const { report, overlaps, commits, ofTwoMinds } = await run.finish();
  const cuts = facts.movedMs.length;
  const line = { test, cuts, ...facts, overlaps, commits, ofTwoMinds: ofTwoMinds.length, ...report };
  process.stdout.write(`${JSON.stringify({ ...line, subscriptions: undefined, examples: undefined })}\n`);
  expect(report).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
  expect(report.acked).toBeGreaterThan(cuts * 100);
  expect([ofTwoMinds, overlaps, run.leases.tokensWentBack]).toEqual([[], 0, 0]);
  expect(commits).toBeGreaterThan(0);
  for (const { subscription, duplicates } of report.subscriptions) {
    expect(duplicates, subscription).toBeLessThanOrEqual(WINDOW * cuts);
  }
}

/** Every instance in every way within as many rounds. */
function wayOf(cut: number): Cut {
  return CUTS[(cut + Math.floor(cut / INSTANCES)) % CUTS.length]!;
}

async function skipUnlessPossible(context: TestContext, servers: readonly ('postgres' | 'redis')[]): Promise<void> {
  const missing = await Promise.all(servers.map((server) => missingServer(server)));
  const reason = whyNoNetworkNamespace() ?? missing.find((why) => why !== undefined);
  if (reason === undefined) return;
  process.stdout.write(`The network is not cut: ${reason}.\n`);
  if (process.env['CI']) throw new TypeError(reason);
  context.skip(reason);
}
