import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { readConfiguration } from '../../../src/index.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

it('lets webhooks call the host that a setting of the assistance service names, and no other of this machine', async () => {
  let received = 0;
  const server = createServer((request, response) => {
    received++;
    request.resume().on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const environment = { AAS_SERVICE_URL: `http://127.0.0.1:${port}`, AAS_WEBHOOK_ENDPOINT: '/events/webhook' };
  const { assistanceHosts } = readConfiguration({ args: [], environment, homeDirectory: tmpdir() });
  const { url } = await runService({ assistanceHosts });
  const subscribe = (endpoint: string) => postJson(`${url}/subscriptions`, { topic: '#', endpoint });
  const { status, body } = await subscribe(`http://127.0.0.1:${port}/events/webhook`);
  expect(status).toBe(201);
  expect((await subscribe(`http://127.0.0.2:${port}/events/webhook`)).body.code).toBe('endpoint_blocked');
  await postJson(`${url}/events`, sample());
  const delivered = async () => (await call(`${url}/subscriptions/${body.id}`)).body.status.counts.delivered;
  await expect.poll(delivered).toBe(1);
  expect(received).toBe(1);
});
