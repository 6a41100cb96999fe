import { EventManagerClient } from '@event-manager/client';
import { checkHistory, type HistoryEntry, SeededChance } from '@event-manager/testing';
import { createTestDatabase, createTestKeys, skipWithout, startRedis } from '@event-manager/testing/servers';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { digest } from '../../examples/github-demo/digest.ts';
import { call } from './support/call.ts';
import { Cluster } from './support/cluster.ts';
import { LeaseWatch } from './support/lease-watch.ts';
import { OverlapReceiver } from './support/overlap-receiver.ts';
import { publishUntilAcknowledged } from './support/publish-until-acknowledged.ts';
import { until } from './support/until.ts';

/** `INSTANCE_KILLS_SECONDS=60 SEED=7` runs it longer, or again. */
const SECONDS = Number(process.env['INSTANCE_KILLS_SECONDS'] ?? 12);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
const KILL_EVERY_MS = 2_000;
/** On however slow a machine. */
const KILLS_MIN = 2;
const INSTANCES = 3;
const PUBLISHERS = 3;
const MEMBERS = 3;
const WINDOW = 64;
/** Publishers wait when so much is not delivered yet, so that every kill meets deliveries under way and the end is near. */
const AHEAD_MAX = 2_000;
const TAKE_OVER_MS_MAX = 10_000;
const HANDLING_MS = 15;
const PULLED_MAX = 32;
const HOOKS = ['hook-1', 'hook-2', 'hook-3'];
const NAMES = [...HOOKS, 'socket', 'pulled'];

/** If this failed, a crash of one of several instances would lose events, or hand one to two of them. */
it.for(['PostgreSQL', 'PostgreSQL and Redis', 'Redis'])(
  `on %s loses nothing while one of ${INSTANCES} instances is killed every 2 s for ${SECONDS} s`,
  {
    timeout: 120_000 + SECONDS * 3_000,
  },
  async (on, context) => {
    const storeUrl = await storeFor(on, context);
    const chance = new SeededChance(SEED);
    const cluster = await Cluster.start(
      storeUrl,
      INSTANCES,
      on === 'PostgreSQL and Redis' ? await redisFor(context) : {},
    );
    const leases = await LeaseWatch.start(storeUrl);
    const { url } = cluster.balancer;
    const history: HistoryEntry[] = NAMES.map((subscription) => ({ kind: 'subscribe', subscription }));
    const seen = new Map(NAMES.map((name) => [name, new Set<string>()]));
    const awaited = new Map(NAMES.map((name) => [name, new Set<string>()]));
    const arrived = (name: string, id: string, attempt: number, payload: object) => {
      history.push({ kind: 'deliver', subscription: name, id, attempt, digest: digest(payload) });
      seen.get(name)!.add(id);
      awaited.get(name)!.delete(id);
    };
    const missing = () => [...awaited.values()].reduce((sum, ids) => sum + ids.size, 0);

    const options = { inFlightMax: WINDOW };
    const receivers: OverlapReceiver[] = [];
    for (const name of HOOKS) {
      const receiver = await OverlapReceiver.start(HANDLING_MS, ({ id, attempt, payload }) =>
        arrived(name, id, attempt, payload),
      );
      receivers.push(receiver);
      const { status } = await call('POST', `${url}/subscriptions`, {
        name,
        topic: '#',
        endpoint: receiver.endpoint,
        options,
      });
      expect(status).toBe(201);
    }
    // One group, whose members the balancer spreads over the instances.
    const clients = Array.from({ length: MEMBERS }, () => new EventManagerClient(url));
    for (const client of clients) {
      onTestFinished(() => client.close());
      await client.subscribe({
        ...{ name: 'socket', topic: '#', options },
        handler: ({ id, payload }, { attempt }) => arrived('socket', id, attempt, payload),
      });
    }
    const pulled = await clients[0]!.subscribe({
      name: 'pulled',
      topic: '#',
      options: { ...options, timeoutMs: 10_000 },
    });
    let isOver = false;
    const pulling = pullUntil(
      () => isOver,
      cluster.urls,
      pulled.id,
      (id, attempt, payload) => arrived('pulled', id, attempt, payload),
    );

    let isStopping = false;
    const publishing = Promise.all(
      Array.from({ length: PUBLISHERS }, async (_, publisher) => {
        for (let number = 0; !isStopping; number++) {
          if (missing() > AHEAD_MAX) {
            await until('deliveries catch up', 60_000, () => missing() <= AHEAD_MAX || isStopping);
          }
          const payload = { publisher, number };
          const event = { id: crypto.randomUUID(), type: 'load.made', source: 'test', payload };
          await publishUntilAcknowledged(event, { url, client: `p${publisher}`, history, subscriptions: NAMES });
          for (const [name, ids] of awaited) if (!seen.get(name)!.has(event.id)) ids.add(event.id);
        }
      }),
    );

    let kills = 0;
    const endMs = performance.now() + SECONDS * 1_000;
    while (performance.now() < endMs || kills < KILLS_MIN) {
      await new Promise((resolve) => setTimeout(resolve, KILL_EVERY_MS));
      const name = cluster.kill(chance);
      if (name === undefined) continue;
      leases.died(name);
      kills++;
    }
    isStopping = true;
    await publishing;
    await until('every acknowledged event has arrived', 60_000, () => missing() === 0);
    await until('nobody who is gone holds a lease', 15_000, () => leases.orphans.length === 0);
    isOver = true;
    await pulling;

    const report = checkHistory(history);
    const slowestMs = Math.round(Math.max(0, ...leases.takeOvers.map(({ afterMs }) => afterMs)));
    const overlaps = receivers.reduce((sum, receiver) => sum + receiver.overlaps, 0);
    const facts = { kills, takeOvers: leases.takeOvers.length, slowestMs, overlaps };
    const duplicates = Object.fromEntries(report.subscriptions.map((of) => [of.subscription, of.duplicates]));
    const line = { test: 'P4', on, seed: SEED, seconds: SECONDS, ...facts, ...report, duplicates };
    process.stdout.write(`${JSON.stringify({ ...line, subscriptions: undefined, examples: undefined })}\n`);
    expect(report, `SEED=${SEED}`).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
    expect(report.acked).toBeGreaterThan(kills * 10);
    expect(leases.takeOvers.length).toBeGreaterThan(0);
    expect(slowestMs).toBeLessThanOrEqual(TAKE_OVER_MS_MAX);
    expect([overlaps, leases.tokensWentBack]).toEqual([0, 0]);
    for (const { subscription, duplicates: count } of report.subscriptions) {
      expect(count, `${subscription}, SEED=${SEED}`).toBeLessThanOrEqual(WINDOW * kills);
    }
  },
);

/** What keeps everything. A Redis syncs each write. */
async function storeFor(on: string, context: TestContext): Promise<string> {
  if (on === 'Redis') {
    await skipWithout('redis', context);
    const server = await startRedis();
    onTestFinished(() => server.close());
    return server.url;
  }
  await skipWithout('postgres', context);
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function redisFor(context: TestContext): Promise<Record<string, string>> {
  await skipWithout('redis', context);
  const keys = await createTestKeys();
  onTestFinished(() => keys.remove());
  return { EVENT_MANAGER_REDIS_URL: keys.url, EVENT_MANAGER_REDIS_KEY_PREFIX: keys.keyPrefix };
}

type Pulled = { delivery: string; attempt: number; event: { id: string; payload: object } };

/** Pulls from one instance after the other: whoever serves the subscription answers, others may say that they do not. */
async function pullUntil(
  isOver: () => boolean,
  urls: readonly string[],
  id: string,
  onPulled: (id: string, attempt: number, payload: object) => void,
): Promise<void> {
  for (let at = 0; !isOver(); at++) {
    const base = `${urls[at % urls.length]}/subscriptions/${id}`;
    try {
      const { status, body } = await call('POST', `${base}/pull`, { max: PULLED_MAX, waitMs: 200 });
      const deliveries: Pulled[] = status === 200 ? body.deliveries : [];
      for (const { attempt, event } of deliveries) onPulled(event.id, attempt, event.payload);
      if (deliveries.length > 0) {
        await call('POST', `${base}/ack`, { deliveries: deliveries.map(({ delivery }) => delivery) });
      }
    } catch {
      // It was killed over it: what it had leased comes again.
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
