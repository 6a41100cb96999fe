import { createTestDatabase, skipWithout } from '@event-manager/testing/servers';
import { expect, it, onTestFinished } from 'vitest';
import type { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { LeaseWatch } from './support/lease-watch.ts';
import { OverlapReceiver } from './support/overlap-receiver.ts';
import { startInstance } from './support/start-instance.ts';
import { until } from './support/until.ts';

/** `ZOMBIES=30` does it as often, one after the other. */
const ZOMBIES = Number(process.env['ZOMBIES'] ?? 1);
const LEASE_MS = 6_000;
const STOPPED_MS = 3 * LEASE_MS;
const EVENTS = 40;
const IN_FLIGHT = 8;
const HOOKS = 3;
const HANDLING_MS = 50;
/** Longer than it takes to move a subscription to whom it should belong. */
const SETTLED_MS = 4_000;

type Pulled = { delivery: string; attempt: number; event: { id: string } };

/** If this failed, an instance that hung for a while could settle what is another's by now. */
it(`${ZOMBIES} times: what an instance says that slept through its leases counts no more`, {
  timeout: 60_000 + ZOMBIES * (STOPPED_MS + 30_000),
}, async (context) => {
  await skipWithout('postgres', context);
  const refused: number[] = [];
  for (let zombie = 0; zombie < ZOMBIES; zombie++) refused.push(await sleepThroughLeases());
  process.stdout.write(`${JSON.stringify({ test: 'zombies', zombies: ZOMBIES, stoppedMs: STOPPED_MS, refused })}\n`);
  expect(refused).toEqual(refused.map(() => EVENTS));
});

/** Resolves with how many acknowledgements of the sleeper were refused. */
async function sleepThroughLeases(): Promise<number> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const instances = await Promise.all([startInstance(database.url), startInstance(database.url)]);
  const names = await Promise.all(instances.map(nameOf));
  const leases = await LeaseWatch.start(database.url);
  const deliveries = new Map<string, number[]>();
  const receiver = await OverlapReceiver.start(HANDLING_MS, ({ id, attempt, path }) => {
    const key = `${path} ${id}`;
    deliveries.set(key, [...(deliveries.get(key) ?? []), attempt]);
  });
  const options = { timeoutMs: 120_000, inFlightMax: EVENTS };
  const subscribe = async (more: object) =>
    (await call('POST', `${instances[0]!.url}/subscriptions`, { topic: '#', options, ...more })).body.id as string;
  const hooks: string[] = [];
  for (let hook = 0; hook < HOOKS; hook++) {
    const limited = { ...options, maxConcurrency: IN_FLIGHT };
    hooks.push(await subscribe({ name: `hook-${hook}`, endpoint: `${receiver.endpoint}${hook}`, options: limited }));
  }
  const pulled = await subscribe({ name: 'pulled' });
  const all = [...hooks, pulled];
  await untilShared(leases, all, names);
  const at = names.indexOf(leases.holderOf(pulled)!);
  const [sleeper, other] = [instances[at]!, instances[1 - at]!];
  const heir = names[1 - at]!;

  for (let number = 0; number < EVENTS; number++) {
    const event = { type: 'load.made', source: 'test', payload: { number } };
    expect((await call('POST', `${sleeper.url}/events`, event)).status).toBe(201);
  }
  const before = await pull(sleeper, pulled);
  expect(before).toHaveLength(EVENTS);
  expect(leases.holderOf(pulled)).toBe(names[at]);
  sleeper.signal('SIGSTOP');
  await until('the other one has taken over', 10_000, () => all.every((id) => leases.holderOf(id) === heir));
  await until('the webhooks have everything', 20_000, () => deliveries.size === HOOKS * EVENTS);
  // What somebody had when its holder was lost comes again one by one.
  const half = await pullAndAck(other, pulled, EVENTS / 2);
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS - LEASE_MS));

  sleeper.signal('SIGCONT');
  const stale = await ack(sleeper, pulled, before);
  // Nothing of it was taken, and nothing of what the other one settled comes again.
  const rest = await pullAndAck(other, pulled, EVENTS / 2);
  expect(new Set([...half, ...rest].map(({ event }) => event.id)).size).toBe(EVENTS);
  expect([...half, ...rest].every(({ attempt }) => attempt === 2)).toBe(true);
  expect((await call('POST', `${other.url}/events`, { type: 'load.made', source: 'test' })).status).toBe(201);
  expect(await pullAndAck(other, pulled, 1)).toMatchObject([{ attempt: 1 }]);
  await until('the webhooks have that, too', 10_000, () => deliveries.size === HOOKS * (EVENTS + 1));
  // Each delivery of an event says a higher attempt than the one before.
  const again = [...deliveries.values()].filter((attempts) => attempts.length > 1);
  expect(again.filter((attempts) => attempts.some((attempt, n) => attempt <= (attempts[n - 1] ?? 0)))).toEqual([]);
  expect(again.length).toBeLessThanOrEqual(HOOKS * EVENTS);
  expect(receiver.overlaps).toBe(0);
  for (const instance of instances) await instance.stop('SIGKILL');
  return stale.length;
}

/** Each holds its share, and nothing has moved for a while. */
async function untilShared(leases: LeaseWatch, ids: readonly string[], names: readonly string[]): Promise<void> {
  let seen = '';
  let sinceMs = performance.now();
  await until('each holds its share', 30_000, () => {
    const holders = ids.map((id) => leases.holderOf(id));
    const isShared = names.every((name) => holders.includes(name)) && !holders.includes(undefined);
    const now = holders.join();
    if (now !== seen || !isShared) sinceMs = performance.now();
    seen = now;
    return performance.now() - sinceMs > SETTLED_MS;
  });
}

async function pullAndAck(instance: ServiceProcess, id: string, count: number): Promise<Pulled[]> {
  const taken: Pulled[] = [];
  await until(`${count} can be pulled`, 30_000, async () => {
    const deliveries = await pull(instance, id, count - taken.length);
    if (deliveries.length > 0) expect(await ack(instance, id, deliveries)).toEqual([]);
    taken.push(...deliveries);
    return taken.length >= count;
  });
  return taken;
}

/** Resolves with those that were refused. */
async function ack({ url }: ServiceProcess, id: string, pulled: readonly Pulled[]): Promise<readonly string[]> {
  const tokens = pulled.map(({ delivery }) => delivery);
  const { status, body } = await call('POST', `${url}/subscriptions/${id}/ack`, { deliveries: tokens });
  return status === 200 ? body.stale : tokens;
}

async function pull({ url }: ServiceProcess, id: string, max = EVENTS): Promise<Pulled[]> {
  const { status, body } = await call('POST', `${url}/subscriptions/${id}/pull`, { max, waitMs: 1_000 });
  return status === 200 ? body.deliveries : [];
}

async function nameOf({ url }: ServiceProcess): Promise<string> {
  return (await call('GET', `${url}/health`)).body.instance;
}
