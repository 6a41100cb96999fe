import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly id?: string;
    readonly replay?: { readonly id: string };
    readonly events?: readonly object[];
  };
}

async function endpoint(got: Got[]): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    got.push({ headers: request.headers, body: JSON.parse(text) });
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Other processes and real sockets: there is no virtual clock to move. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function over(url: string, id: string) {
  await until(async () => (await call(`${url}/runs/${id}`)).body.endedAtMs !== undefined);
  return (await call(`${url}/runs/${id}`)).body;
}

it('marks what it sends to an endpoint, one by one and in batches, under the same id', async () => {
  const { url } = await runService({ webhookAllow: ['loopback'] });
  for (const batchSize of [1, 5]) {
    const got: Got[] = [];
    const name = `batch-${batchSize}`;
    await postJson(`${url}/subscriptions`, {
      name,
      topic: name,
      endpoint: await endpoint(got),
      options: { batchSize },
    });
    const { body: event } = await postJson(`${url}/events`, sample({ topic: name }));
    await until(() => got.length === 1);
    const { status, body: run, headers } = await postJson(`${url}/replays`, { subscriptions: name, topic: name });
    expect([status, headers.get('location')]).toEqual([202, `/runs/${run.id}`]);
    expect((await over(url, run.id)).counts).toEqual({ total: 1, done: 1, failed: 0, skipped: 0 });
    const [live, replayed] = got as [Got, Got];
    expect(live.headers['event-manager-replay']).toBeUndefined();
    expect(live.body.replay).toBeUndefined();
    expect(replayed.headers['event-manager-replay']).toBe(run.id);
    expect(replayed.headers['webhook-id']).toBe(live.headers['webhook-id']);
    const told = replayed.body.events
      ? [replayed.body.replay, replayed.body.events[0]]
      : [{ id: run.id }, replayed.body];
    expect(told).toMatchObject([{ id: run.id }, { id: event.id }]);
  }
});

it('hands it to whoever asks for it, marked, behind what is owed', async () => {
  const { url } = await runService();
  const { body: subscription } = await postJson(`${url}/subscriptions`, { name: 'pulled', topic: 'a' });
  const pull = async () => {
    const { body } = await postJson(`${url}/subscriptions/${subscription.id}/pull`, { max: 1 });
    const [delivery] = body.deliveries;
    if (delivery) await postJson(`${url}/subscriptions/${subscription.id}/ack`, { deliveries: [delivery.delivery] });
    return delivery;
  };
  await postJson(`${url}/events`, sample({ topic: 'a', payload: { n: 1 } }));
  expect((await pull()).replay).toBeUndefined();
  const { body: run } = await postJson(`${url}/replays`, { subscriptions: 'pulled' });
  await postJson(`${url}/events`, sample({ topic: 'a', payload: { n: 2 } }));
  const [first, second] = [await pull(), await pull()];
  expect([first.event.payload.n, first.replay]).toEqual([2, undefined]);
  expect([second.event.payload.n, second.replay]).toEqual([1, { id: run.id }]);
  expect((await over(url, run.id)).state).toBe('done');
  expect(await pull()).toBeUndefined();
});

it('refuses a target that may not be called at once, with its place', async () => {
  const { url } = await runService({});
  await postJson(`${url}/subscriptions`, { name: 'any', topic: '#' });
  for (const target of ['http://127.0.0.1:9/', { endpoint: 'http://169.254.169.254/latest' }, 'http://[::1]/']) {
    for (const dryRun of [false, true]) {
      const { status, body } = await postJson(`${url}/replays`, { subscriptions: 'any', target, dryRun });
      expect([status, body.code, body.pointer]).toEqual([403, 'endpoint_blocked', '/target/endpoint']);
    }
  }
  expect((await call(`${url}/runs`)).body.data).toEqual([]);
});
