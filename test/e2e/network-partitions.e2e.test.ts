import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkHistory, type HistoryEntry } from '@event-manager/testing';
import { createTestDatabase, missingServer, startPostgres } from '@event-manager/testing/servers';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { digest } from '../../examples/github-demo/digest.ts';
import type { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { watchCommits } from './support/commit-watch.ts';
import { LeaseWatch } from './support/lease-watch.ts';
import { type Cut, NetworkLab } from './support/network-lab.ts';
import { whyNoNetworkNamespace } from './support/network-namespace.ts';
import { OverlapReceiver } from './support/overlap-receiver.ts';
import { publishUntilAcknowledged } from './support/publish-until-acknowledged.ts';
import { startInstance } from './support/start-instance.ts';
import { until } from './support/until.ts';

/** `PARTITION_ROUNDS=3` cuts every instance off in every way. */
const ROUNDS = Number(process.env['PARTITION_ROUNDS'] ?? 1);
const INSTANCES = 3;
const CUTS: readonly Cut[] = ['both ways', 'there', 'back'];
/** Two leases. */
const CUT_MS = 12_000;
const TAKE_OVER_MS_MAX = 10_000;
const HEALED_MS_MAX = 10_000;
const WINDOW = 64;
const HANDLING_MS = 15;
const PUBLISH_EVERY_MS = 10;
const HOOKS = ['hook-1', 'hook-2', 'hook-3', 'hook-4', 'hook-5', 'hook-6'];

/** If this failed, a switch that dies would lose events, or leave two instances that both serve a subscription. */
it(`loses nothing and is never of two minds while each of ${INSTANCES} instances is cut off from the database`, {
  timeout: 120_000 + ROUNDS * INSTANCES * (CUT_MS + 30_000),
}, async (context) => {
  await skipUnlessPossible(context);
  const lab = new NetworkLab(INSTANCES);
  onTestFinished(() => lab.remove());
  const databaseUrl = await startDatabase(lab);
  const instances = await startInstances(lab, databaseUrl.fromHosts);
  const names = await Promise.all(instances.map(nameOf));
  const leases = await LeaseWatch.start(databaseUrl.fromHere);
  const seenCommits = await watchCommits(databaseUrl.fromHere);
  const history: HistoryEntry[] = HOOKS.map((subscription) => ({ kind: 'subscribe', subscription }));
  const seen = new Map(HOOKS.map((name) => [name, new Set<string>()]));
  const ids: string[] = [];
  const receivers: OverlapReceiver[] = [];
  for (const name of HOOKS) {
    const receiver = await OverlapReceiver.start(
      HANDLING_MS,
      ({ id, attempt, payload }) => {
        history.push({ kind: 'deliver', subscription: name, id, attempt, digest: digest(payload) });
        seen.get(name)!.add(id);
      },
      lab.here,
    );
    receivers.push(receiver);
    const options = { inFlightMax: WINDOW };
    const request = { name, topic: '#', endpoint: receiver.endpoint, options };
    const { status, body } = await call('POST', `${instances[0]!.url}/subscriptions`, request);
    expect(status).toBe(201);
    ids.push(body.id);
  }
  await until('every subscription is served', 10_000, () => ids.every((id) => leases.holderOf(id) !== undefined));

  let isStopping = false;
  const published: string[] = [];
  const publishing = Promise.all(
    instances.map(async ({ url }, publisher) => {
      for (let number = 0; !isStopping; number++) {
        const event = { id: crypto.randomUUID(), type: 'load.made', source: 'test', payload: { publisher, number } };
        await publishUntilAcknowledged(event, { url, client: `p${publisher}`, history, subscriptions: HOOKS });
        published.push(event.id);
        await new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS));
      }
    }),
  );

  const healedMs: number[] = [];
  const movedMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, instance] of instances.entries()) {
      const cutAtMs = performance.now();
      lab.cut(at, 'database', CUTS[(round + at) % CUTS.length]!);
      const name = names[at]!;
      const isWithout = () => ids.every((id) => leases.holderOf(id) !== name);
      await until(`others hold what ${name} held`, TAKE_OVER_MS_MAX, isWithout);
      movedMs.push(Math.round(performance.now() - cutAtMs));
      await until('it says that it is cut off', CUT_MS, async () => (await healthOf(instance)) === 'unavailable');
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, CUT_MS - (performance.now() - cutAtMs))));
      const healedAtMs = performance.now();
      lab.heal(at);
      await until('it is well again', HEALED_MS_MAX, async () => (await healthOf(instance)) === 'ok');
      healedMs.push(Math.round(performance.now() - healedAtMs));
    }
  }
  isStopping = true;
  await publishing;
  await until('every acknowledged event has arrived', 60_000, () =>
    [...seen.values()].every((of) => published.every((id) => of.has(id))),
  );

  const report = checkHistory(history);
  const overlaps = receivers.reduce((sum, receiver) => sum + receiver.overlaps, 0);
  const commits = await seenCommits();
  const cuts = ROUNDS * INSTANCES;
  const ofTwoMinds = commits.filter(({ address, owner }) => owner !== names[addressesOf(lab).indexOf(address)]);
  const facts = { cuts, movedMs, healedMs, overlaps, commits: commits.reduce((sum, { count }) => sum + count, 0) };
  process.stdout.write(
    `${JSON.stringify({ test: 'partitions', ...facts, ofTwoMinds: ofTwoMinds.length, ...report, subscriptions: undefined, examples: undefined })}\n`,
  );
  expect(report).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
  expect(report.acked).toBeGreaterThan(cuts * 100);
  expect([ofTwoMinds, overlaps, leases.tokensWentBack]).toEqual([[], 0, 0]);
  expect(facts.commits).toBeGreaterThan(0);
  for (const { subscription, duplicates } of report.subscriptions) {
    expect(duplicates, subscription).toBeLessThanOrEqual(WINDOW * cuts);
  }
});

async function startDatabase(lab: NetworkLab): Promise<{ fromHere: string; fromHosts: string }> {
  const address = lab.addressOf('database');
  const server = await startPostgres({ settings: { listen_addresses: `127.0.0.1,${address}` } });
  onTestFinished(() => server.close());
  appendFileSync(join(server.folder, 'data/pg_hba.conf'), `host all all ${lab.range} scram-sha-256\n`);
  await server.signal('SIGHUP');
  const database = await createTestDatabase({ server });
  const fromHosts = new URL(database.url);
  fromHosts.hostname = address;
  return { fromHere: database.url, fromHosts: fromHosts.href };
}

function startInstances(lab: NetworkLab, databaseUrl: string): Promise<ServiceProcess[]> {
  return Promise.all(
    Array.from({ length: INSTANCES }, (_, at) =>
      startInstance(databaseUrl, {
        by: lab.on(at),
        environment: {
          EVENT_MANAGER_HOST: lab.front(at),
          EVENT_MANAGER_ALLOW_UNAUTHENTICATED: 'true',
          EVENT_MANAGER_WEBHOOK_ALLOW: lab.range,
          EVENT_MANAGER_DATABASE_MAX_CONNECTIONS: '8',
        },
      }),
    ),
  );
}

function addressesOf(lab: NetworkLab): string[] {
  return Array.from({ length: INSTANCES }, (_, at) => lab.back(at));
}

async function nameOf({ url }: ServiceProcess): Promise<string> {
  return (await call('GET', `${url}/health`)).body.instance;
}

async function healthOf({ url }: ServiceProcess): Promise<string> {
  return (await call('GET', `${url}/health`)).body.adapter.status;
}

async function skipUnlessPossible(context: TestContext): Promise<void> {
  const reason = whyNoNetworkNamespace() ?? (await missingServer('postgres'));
  if (reason === undefined) return;
  process.stdout.write(`The network is not cut: ${reason}.\n`);
  if (process.env['CI']) throw new TypeError(reason);
  context.skip(reason);
}
