import { EventManagerClient } from '@event-manager/client';
import type { HistoryEntry } from '@event-manager/testing';
import { createTestDatabase, skipWithout, type TestDatabase } from '@event-manager/testing/servers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { followStream } from '../../examples/github-demo/follow-stream.ts';
import type { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { Balancer } from './support/balancer.ts';
import { call } from './support/call.ts';
import { LeaseWatch } from './support/lease-watch.ts';
import { OverlapReceiver } from './support/overlap-receiver.ts';
import { startInstance } from './support/start-instance.ts';
import { subscribeWebhook } from './support/subscribe-webhook.ts';
import { until } from './support/until.ts';

/** What is made on one instance works on every other within this time. */
const KNOWN_MS_MAX = 1_000;
/** What one gives back is taken by the next look of another, which comes every second. */
const HANDED_OVER_MS_MAX = 2_000;

const event = (more: object = {}) => ({ type: 'order.created', source: 'shop', payload: {}, ...more });

describe('two instances on one database', () => {
  let database: TestDatabase | undefined;
  beforeEach(async (context) => {
    await skipWithout('postgres', context);
    database = await createTestDatabase();
  });
  afterEach(() => database?.drop());

  const startTwo = () => Promise.all([0, 1].map(() => startInstance(database!.url)));

  it('know a subscription and a topic that were made on the other within a second, and their end', async () => {
    const [one, two] = await startTwo();
    const created = await call('POST', `${one!.url}/subscriptions`, { name: 'pulled', topic: 'order.*' });
    const { id } = created.body;
    await call('POST', `${one!.url}/topics`, { topic: 'declared' });
    const isKnown = async (path: string) => (await call('GET', `${two!.url}${path}`)).status === 200;
    await until('the other one knows both', KNOWN_MS_MAX, async () => {
      return (await isKnown(`/subscriptions/${id}`)) && (await isKnown('/topics/declared'));
    });
    await call('DELETE', `${one!.url}/subscriptions/${id}`);
    await until('the other one knows its end', KNOWN_MS_MAX, async () => !(await isKnown(`/subscriptions/${id}`)));
  });

  it('deliver to a webhook what is published on either, each event once, whoever holds the lease', async () => {
    const [one, two] = await startTwo();
    const history: HistoryEntry[] = [];
    const received: string[] = [];
    const onEvent = ({ id }: { id: string }) => void received.push(id);
    await subscribeWebhook({ url: one!.url, name: 'hook', topic: 'order.*', history, onEvent });
    const published: string[] = [];
    for (let count = 0; count < 100; count++) {
      const { url } = count % 2 === 0 ? one! : two!;
      const { status, body } = await call('POST', `${url}/events`, event());
      expect(status).toBe(201);
      published.push(body.id);
    }
    await until('all have arrived', 10_000, () => received.length >= published.length);
    expect(received.toSorted()).toEqual(published.toSorted());
  });

  it('serve a subscription on the other one within 10 s when the instance that holds it dies', async () => {
    const instances = await startTwo();
    const received = new Set<string>();
    const onEvent = ({ id }: { id: string }) => void received.add(id);
    const { url } = instances[0]!;
    const id = await subscribeWebhook({ url, name: 'hook', topic: 'order.*', history: [], onEvent });
    const isServedBy = async (of: string) =>
      (await call('GET', `${of}/subscriptions/${id}`)).body.status.state !== 'unserved';
    let holder = -1;
    await until('somebody serves it', 5_000, async () => {
      for (const [at, instance] of instances.entries()) if (await isServedBy(instance.url)) holder = at;
      return holder >= 0;
    });
    const other = instances[1 - holder]!;
    await instances[holder]!.stop('SIGKILL');
    const diedAtMs = performance.now();
    const { body } = await call('POST', `${other.url}/events`, event());
    await until('it arrives', 10_000, () => received.has(body.id));
    expect(performance.now() - diedAtMs).toBeLessThan(10_000);
  });

  it('hand over what they serve when they are told to end, within two seconds', async () => {
    const instances = await startTwo();
    const leases = await LeaseWatch.start(database!.url);
    const receiver = await OverlapReceiver.start(0, () => {});
    const ids: string[] = [];
    for (let number = 0; number < 10; number++) {
      const request = { name: `hook-${number}`, topic: '#', endpoint: receiver.endpoint };
      ids.push((await call('POST', `${instances[0]!.url}/subscriptions`, request)).body.id);
    }
    await until('all are served', 5_000, () => ids.every((id) => leases.holderOf(id) !== undefined));
    const [leaving, staying] = instances as [ServiceProcess, ServiceProcess];
    const heir = (await call('GET', `${staying.url}/health`)).body.instance;
    expect(await leaving.stop('SIGTERM')).toBe(0);
    const endedAtMs = performance.now();
    await until('the other one has all of them', 5_000, () => ids.every((id) => leases.holderOf(id) === heir));
    expect(performance.now() - endedAtMs).toBeLessThan(HANDED_OVER_MS_MAX);
  });

  it('show on their streams, by either protocol, what is published on any of them', async () => {
    const instances = await startTwo();
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const seen = { sse: [new Set<string>(), new Set<string>()], ws: [new Set<string>(), new Set<string>()] };
    await Promise.all(
      instances.map(async ({ url }, at) => {
        const onFrame = ({ data }: { data: string }) => void seen.sse[at]!.add(JSON.parse(data).id);
        await new Promise<void>((resolve) => {
          void followStream({ url: `${url}/events/stream`, signal: abort.signal, onFrame, onOpen: resolve });
        });
        const events = new EventManagerClient(url);
        onTestFinished(() => events.close());
        const reader = await events.stream({ from: 'latest' });
        void (async () => {
          for await (const frame of reader) if ('event' in frame) seen.ws[at]!.add(frame.event.id);
        })();
      }),
    );
    const published: string[] = [];
    for (let count = 0; count < 40; count++) {
      const { body } = await call('POST', `${instances[count % 2]!.url}/events`, event());
      published.push(body.id);
    }
    await until('every stream has shown all of them', 10_000, () =>
      [...seen.sse, ...seen.ws].every((ids) => published.every((id) => ids.has(id))),
    );
  });

  it('are one service behind a balancer, also while one of them is replaced', async () => {
    const [one, two] = await startTwo();
    const balancer = await Balancer.start([one!.port, two!.port]);
    onTestFinished(() => balancer.close());
    const names = new Set<string>();
    for (let count = 0; count < 4; count++) {
      // A connection each.
      const response = await fetch(`${balancer.url}/health`, { headers: { connection: 'close' } });
      names.add(((await response.json()) as { instance: string }).instance);
    }
    expect(names.size).toBe(2);

    await using events = new EventManagerClient(balancer.url);
    const received = new Set<string>();
    await events.subscribe({ name: 'audit', topic: 'order.*', handler: ({ id }) => void received.add(id) });
    const published: string[] = [];
    const publish = async (count: number) => {
      for (let n = 0; n < count; n++) published.push((await events.publish(event())).id);
    };
    await publish(20);
    expect(await one!.stop('SIGTERM')).toBe(0);
    await publish(20);
    await startInstance(database!.url, { port: one!.port });
    await publish(20);
    await until('all have arrived', 20_000, () => published.every((id) => received.has(id)));
  });
});
