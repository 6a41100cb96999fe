import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration, Service } from '@event-manager/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientOf } from './support/client-of.ts';
import { runService } from './support/run-service.ts';
import { until } from './support/until.ts';

/** A service on a journal that can be stopped and started again at its address. */
async function restartable(settings: Partial<Configuration> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-client-'));
  const start = (port: number) => runService({ adapter: 'journal', dataDir, port, ...settings });
  let service: Service = await start(0);
  const { url } = service;
  onTestFinished(async () => {
    await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    url,
    stop: () => service.stop(),
    async start() {
      service = await start(Number(new URL(url).port));
    },
  };
}

const EVENT = { type: 'order.created', source: 'shop' };

/** What several clients and a service that comes and goes make of each other: no stand-in could say it. */
describe('clients of a real service', () => {
  it('get nothing twice and miss nothing with a subscription without a name, through restarts', async () => {
    const service = await restartable();
    const [publisher, subscriber] = [clientOf(service), clientOf(service)];
    const received: unknown[] = [];
    await subscriber.subscribe({ topic: '#', handler: ({ payload }) => void received.push(payload['number']) });
    const numbers: number[] = [];
    for (let life = 0; life < 3; life++) {
      const some = Array.from({ length: 50 }, (_, at) => life * 100 + at);
      numbers.push(...some);
      const publishing = Promise.all(some.map((number) => publisher.publish({ ...EVENT, payload: { number } })));
      await service.stop();
      await service.start();
      await publishing;
    }
    await until('all arrive', () => received.length >= numbers.length);
    expect(received).toEqual(numbers);
  });

  it('attach again to what somebody changed meanwhile', async () => {
    const service = await restartable();
    const [owner, other] = [clientOf(service), clientOf(service)];
    const received: string[] = [];
    const errors: unknown[] = [];
    const watcher = clientOf(service, { onError: (error) => errors.push(error) });
    const { id } = await watcher.subscribe({ name: 'n', topic: 'a', handler: ({ type }) => void received.push(type) });
    await other.updateSubscription(id, { topic: 'b' });
    await service.stop();
    await service.start();
    await owner.publish({ type: 'b', source: 's' });
    await until('it arrives', () => received.length === 1);
    expect({ received, errors }).toEqual({ received: ['b'], errors: [] });
  });

  it('share a name, and are the same members after the service was away', async () => {
    const service = await restartable();
    const received: string[] = [];
    const clients = [clientOf(service), clientOf(service)];
    let id = '';
    for (const [at, client] of clients.entries()) {
      const handler = () => void received.push(`${at}`);
      ({ id } = await client.subscribe({ name: 'n', topic: '#', handler }));
    }
    const members = async () => (await clients[0]!.getSubscription(id)).status.members;
    expect(await members()).toBe(2);
    await clients[0]!.publishBatch(Array.from({ length: 4 }, () => EVENT));
    await until('they arrive', () => received.length === 4);
    expect(received.toSorted()).toEqual(['0', '0', '1', '1']);
    await service.stop();
    await service.start();
    await until('both are back', async () => (await members()) === 2);
    await clients[1]!.publishBatch(Array.from({ length: 4 }, () => EVENT));
    await until('they arrive, too', () => received.length === 8);
    expect(received.slice(4).toSorted()).toEqual(['0', '0', '1', '1']);
    await clients[0]!.close();
    expect((await clients[1]!.getSubscription(id)).status.members).toBe(1);
  });

  it('are told when somebody else ends their subscription', async () => {
    const service = await restartable();
    const errors: unknown[] = [];
    const first = clientOf(service, { onError: (error) => errors.push(error) });
    const { id } = await first.subscribe({ name: 'n', topic: '#', handler() {} });
    await clientOf(service).unsubscribe(id);
    await until('it is told', () => errors.length === 1);
    expect(errors).toMatchObject([{ code: 'subscription_not_found', details: { id } }]);
  });

  it('publish the largest events and batches that there may be', async () => {
    const client = clientOf(await restartable());
    const large = { ...EVENT, payload: { text: '"'.repeat(125_000) } };
    await Promise.all(Array.from({ length: 20 }, () => client.publish(large)));
    const { stored } = await client.publishBatch(Array.from({ length: 10_000 }, () => EVENT));
    expect(stored).toBe(10_000);
    expect((await client.getEvents({}, { limit: 20 }))[0]!.payload).toEqual(large.payload);
  });

  it('wait with everything for a service that is not there yet', async () => {
    const service = await restartable();
    await service.stop();
    let losses = 0;
    const client = clientOf(service, { onConnection: ({ state }) => void (state === 'disconnected' && losses++) });
    const stream = client.stream({ from: 'earliest' });
    const received: string[] = [];
    const subscribing = client.subscribe({ topic: '#', handler: ({ id }) => void received.push(id) });
    const listing = client.listSubscriptions();
    await until('it was tried in vain', () => losses > 2);
    await service.start();
    await subscribing;
    const { id } = await client.publish(EVENT);
    await until('it arrives', () => received.length === 1);
    expect(received).toEqual([id]);
    expect(await (await stream).next()).toMatchObject([{ event: { id } }]);
    expect(await listing).toBeInstanceOf(Array);
  });
});
