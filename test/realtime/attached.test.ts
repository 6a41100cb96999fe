import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { until } from '../e2e/support/until.ts';

const SECRET = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';

async function webhook(take: (n: unknown) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    take(JSON.parse(text).payload.n);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

/** A second subscription beside the first would get every event once more, by webhook, for ever. */
it.each([
  ['without a name', {}],
  ['with a name', { name: 'alarms' }],
])('a handler with a fallback %s is the same subscription after restarts of either side', async (_, more) => {
  const dataDir = join(temporaryDirectory(), 'data');
  const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };
  let service = await ServiceProcess.start({ dataDir, port: 0, environment });
  const { url, port } = service;
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const got: string[] = [];
  const fallbackWebhook = await webhook((n) => got.push(`webhook ${n}`));
  const publisher = new EventManagerClient(url);
  onTestFinished(() => publisher.close());
  const publish = (n: number) => publisher.publish({ type: 'alarm.rang', source: 'house', payload: { n } });
  const connect = async (name: string) => {
    const client = new EventManagerClient(url);
    onTestFinished(() => client.close());
    const handler = ({ payload }: { payload: Record<string, unknown> }) => void got.push(`${name} ${payload['n']}`);
    const options = { realtime: true, fallback_webhook: fallbackWebhook };
    const { id } = await client.subscribe({ ...more, topic: 'alarm.*', handler, secret: SECRET, options });
    return { client, id };
  };

  const first = await connect('first');
  await publish(1);
  const has = (n: number) => got.some((line) => line.endsWith(` ${n}`));
  await until('the handler has it', 10_000, () => has(1));
  await service.stop('SIGKILL');
  service = await ServiceProcess.start({ dataDir, port, environment });
  await publish(2);
  // What was settled shortly before the end may come again; nothing is missing.
  await until('the second has come', 20_000, () => has(2));
  expect(await publisher.listSubscriptions()).toMatchObject([{ id: first.id }]);

  // What was changed meanwhile is what it attaches to.
  await first.client.updateSubscription(first.id, { topic: 'alarm.#' });
  await first.client.close();
  await publish(3);
  await until('the webhook has it', 20_000, () => got.includes('webhook 3'));
  expect(got[0]).toBe('first 1');
  await publisher.updateSubscription(first.id, { topic: 'alarm.*' });
  const second = await connect('second');
  expect(second.id).toBe(first.id);
  await until('it is back', 20_000, async () => {
    const { status } = await publisher.getSubscription(first.id);
    return status.realtime?.way === 'realtime';
  });
  await publish(4);
  await until('the second program has it', 20_000, () => has(4));
  expect(got.at(-1)).toBe('second 4');
  await second.client.unsubscribe(second.id);
  expect(await publisher.listSubscriptions()).toEqual([]);
});
