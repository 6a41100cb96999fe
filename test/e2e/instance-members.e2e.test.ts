import { EventManagerClient } from '@event-manager/client';
import { createTestDatabase, createTestKeys, skipWithout, type TestDatabase } from '@event-manager/testing/servers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { call } from './support/call.ts';
import { LeaseWatch } from './support/lease-watch.ts';
import { OverlapReceiver } from './support/overlap-receiver.ts';
import { startInstance } from './support/start-instance.ts';
import { until } from './support/until.ts';

const INSTANCES = 3;
const SUBSCRIPTIONS = 30;
/** A new one needs a look or two to be seen, the others one to let go, and it one to take. */
const SHARED_MS_MAX = 15_000;
const TAKE_OVER_MS_MAX = 10_000;
const MOVED_MS_MAX = 1_000;

const event = (number: number) => ({ type: 'load.made', source: 'test', payload: { number } });

describe.each(['PostgreSQL', 'PostgreSQL and Redis'])('several instances on %s', (on) => {
  let database: TestDatabase | undefined;
  let environment: Record<string, string> = {};
  beforeEach(async (context) => {
    await skipWithout('postgres', context);
    database = await createTestDatabase();
    if (on === 'PostgreSQL') return;
    await skipWithout('redis', context);
    const { url, keyPrefix } = await createTestKeys();
    environment = { EVENT_MANAGER_REDIS_URL: url, EVENT_MANAGER_REDIS_KEY_PREFIX: keyPrefix };
  });
  afterEach(() => database?.drop());

  const start = (count = INSTANCES) =>
    Promise.all(Array.from({ length: count }, () => startInstance(database!.url, { environment })));

  it('share webhooks fairly, also when one dies and when one joins', { timeout: 120_000 }, async () => {
    const instances = await start();
    const names = await Promise.all(instances.map(nameOf));
    const leases = await LeaseWatch.start(database!.url);
    const receiver = await OverlapReceiver.start(0, () => {});
    const ids: string[] = [];
    for (let number = 0; number < SUBSCRIPTIONS; number++) {
      const request = { name: `hook-${number}`, topic: '#', endpoint: receiver.endpoint };
      ids.push((await call('POST', `${instances[number % INSTANCES]!.url}/subscriptions`, request)).body.id);
    }
    const heldBy = (name: string) => ids.filter((id) => leases.holderOf(id) === name).length;
    const isShared = (among: readonly string[]) => {
      const most = Math.ceil(SUBSCRIPTIONS / among.length);
      const held = among.map(heldBy);
      return held.every((count) => count <= most) && held.reduce((sum, count) => sum + count, 0) === SUBSCRIPTIONS;
    };
    await until('each holds its share', SHARED_MS_MAX, () => isShared(names));

    await instances[0]!.stop('SIGKILL');
    leases.died(names[0]!);
    await until('the others hold all of them', TAKE_OVER_MS_MAX, () => isShared(names.slice(1)));
    const [newcomer] = await start(1);
    const now = [...names.slice(1), await nameOf(newcomer!)];
    await until('the new one has its share', SHARED_MS_MAX, () => isShared(now));
  });

  it('share the members of one group, whatever instance each is connected to', { timeout: 60_000 }, async () => {
    const instances = await start();
    const taken = instances.map(() => [] as number[]);
    for (const [at, { url }] of instances.entries()) {
      await attach(url, { name: 'workers', options: { maxConcurrency: 4 } }, async (number) => {
        taken[at]!.push(number);
        await new Promise((resolve) => setTimeout(resolve, 5));
      });
    }
    const count = 600;
    await publishAll(instances, count);
    await until('all are handled', 20_000, () => new Set(taken.flat()).size === count);
    process.stdout.write(
      `${JSON.stringify({ test: 'group-on-instances', on, taken: taken.map(({ length }) => length) })}\n`,
    );
    expect(taken.flat()).toHaveLength(count);
    for (const of of taken) expect(of.length).toBeGreaterThan(count / 20);
  });

  it('go on with the members that are left when the instance that serves a group dies', {
    timeout: 90_000,
  }, async () => {
    const instances = await start();
    const leases = await LeaseWatch.start(database!.url);
    const names = await Promise.all(instances.map(nameOf));
    const taken = new Set<number>();
    let id = '';
    for (const { url } of instances)
      id = await attach(url, { name: 'workers' }, async (number) => void taken.add(number));
    await until('somebody serves it', 5_000, () => names.includes(leases.holderOf(id) ?? ''));
    await publishAll(instances, 50);
    await until('all are handled', 10_000, () => taken.size === 50);
    const holder = names.indexOf(leases.holderOf(id)!);
    await instances[holder]!.stop('SIGKILL');
    const left = instances.filter((_, at) => at !== holder);
    const diedAtMs = performance.now();
    await publishAll(left, 50, 50);
    await until('all are handled', TAKE_OVER_MS_MAX, () => taken.size === 100);
    expect(performance.now() - diedAtMs).toBeLessThan(TAKE_OVER_MS_MAX);
  });

  it('move a subscription to the instance that has its only member within a second', { timeout: 60_000 }, async () => {
    const [one, two] = (await start(2)) as [ServiceProcess, ServiceProcess];
    const leases = await LeaseWatch.start(database!.url);
    const here = new Set<number>();
    const there = new Set<number>();
    const first = new EventManagerClient(one.url);
    onTestFinished(() => first.close());
    const request = { name: 'desk', topic: 'load.*' };
    const handler = ({ payload }: { payload: Readonly<Record<string, unknown>> }) =>
      void here.add(Number(payload['number']));
    const { id } = await first.subscribe({ ...request, handler });
    await publishAll([one], 1);
    await until('it is served', 5_000, () => here.size === 1);
    const holder = leases.holderOf(id);
    await attach(two.url, { name: 'desk' }, async (number) => void there.add(number));
    await first.close();
    const leftAtMs = performance.now();
    await publishAll([one], 1, 1);
    await until('the one that is left gets it', 5_000, () => there.has(1) || here.has(1));
    await until('the lease is where the member is', MOVED_MS_MAX * 5, () => leases.holderOf(id) !== holder);
    const movedMs = performance.now() - leftAtMs;
    process.stdout.write(`${JSON.stringify({ test: 'lease-moves', on, movedMs: Math.round(movedMs) })}\n`);
    expect(movedMs).toBeLessThan(MOVED_MS_MAX + 500);
  });

  it('let themselves be pulled through any of them', { timeout: 60_000 }, async () => {
    const instances = await start();
    const { body } = await call('POST', `${instances[0]!.url}/subscriptions`, { name: 'pulled', topic: '#' });
    await publishAll(instances, 90);
    const pulled: string[] = [];
    for (let at = 0; pulled.length < 90; at++) {
      const base = `${instances[at % INSTANCES]!.url}/subscriptions/${body.id}`;
      const answer = await call('POST', `${base}/pull`, { max: 10, waitMs: 5_000 });
      expect(answer.status).toBe(200);
      const tokens = answer.body.deliveries.map(({ delivery }: { delivery: string }) => delivery);
      pulled.push(...answer.body.deliveries.map((delivery: { event: { id: string } }) => delivery.event.id));
      // Answered through another one than it was pulled through.
      const other = `${instances[(at + 1) % INSTANCES]!.url}/subscriptions/${body.id}`;
      expect((await call('POST', `${other}/ack`, { deliveries: tokens })).body.stale).toEqual([]);
    }
    expect(new Set(pulled).size).toBe(90);
    expect(pulled).toHaveLength(90);
  });
});

async function attach(
  url: string,
  request: { readonly name: string; readonly options?: object },
  handle: (number: number) => Promise<void>,
): Promise<string> {
  const client = new EventManagerClient(url);
  onTestFinished(() => client.close());
  const { id } = await client.subscribe({
    topic: 'load.*',
    ...request,
    handler: ({ payload }) => handle(Number(payload['number'])),
  });
  return id;
}

async function publishAll(instances: readonly ServiceProcess[], count: number, from = 0): Promise<void> {
  for (let number = from; number < from + count; number++) {
    const { url } = instances[number % instances.length]!;
    expect((await call('POST', `${url}/events`, event(number))).status).toBe(201);
  }
}

async function nameOf({ url }: ServiceProcess): Promise<string> {
  return (await call('GET', `${url}/health`)).body.instance;
}
