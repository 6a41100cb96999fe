import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { startService } from '../src/index.ts';
import { welcome } from '../src/welcome.ts';
import { configure } from './configure.ts';
import { call, postJson, runService, sample } from './running-service.ts';

const logger = pino({ level: 'silent' });

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'event-manager-service-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it('finds everything again on its journal', async () => {
  const configuration = configure({ adapter: 'journal', dataDir: directory(), webhookAllow: ['loopback'] });
  const first = await startService({ configuration, logger });
  const { body } = await postJson(`${first.url}/events`, sample());
  await postJson(`${first.url}/subscriptions`, { name: 'n', topic: 'x', endpoint: 'http://127.0.0.1:1/' });
  await first.stop();
  const { url } = await runService(configuration);
  expect((await call(`${url}/events/${body.id}`)).body).toMatchObject(sample());
  expect((await call(`${url}/subscriptions`)).body.data).toMatchObject([{ name: 'n', status: { served: true } }]);
  expect((await postJson(`${url}/events`, sample({ id: body.id }))).body.duplicate).toBe(true);
});

it('starts although a webhook is not allowed any more, and turns its deliveries into dead letters', async () => {
  const configuration = configure({ adapter: 'journal', dataDir: directory() });
  const first = await startService({ configuration: { ...configuration, webhookAllow: ['loopback'] }, logger });
  const options = { retryPolicy: { maxRetries: 0 } };
  const request = { name: 'n', topic: '#', endpoint: 'http://127.0.0.1:1/', options };
  const { id } = (await postJson(`${first.url}/subscriptions`, request)).body;
  await postJson(`${first.url}/subscriptions/${id}/pause`, undefined);
  await first.stop();
  const { url } = await runService(configuration);
  await postJson(`${url}/events`, sample());
  await call(`${url}/subscriptions/${id}/resume`, { method: 'POST' });
  const letters = async () => (await call(`${url}/subscriptions/${id}/dead-letters`)).body.data;
  while ((await letters()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await letters()).toMatchObject([{ errors: [{ code: 'endpoint_blocked' }] }]);
});

it('says aloud that its store is damaged: in the log, in the welcome, in its health and to publishers', async () => {
  const configuration = configure({ adapter: 'journal', dataDir: directory() });
  const first = await startService({ configuration, logger });
  for (let number = 0; number < 20; number++) await postJson(`${first.url}/events`, sample({ payload: { number } }));
  await first.stop();
  const segment = readdirSync(configuration.dataDir).find((name) => name.startsWith('events-'))!;
  const path = join(configuration.dataDir, segment);
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('"number":3')] = 0;
  writeFileSync(path, bytes);
  const lines: { level: number; msg: string }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  const service = await startService({ configuration, logger: log });
  onTestFinished(() => service.stop());
  const command = `npx event-manager-journal repair ${configuration.dataDir}`;
  expect(lines.find(({ level, msg }) => level === 50 && msg.endsWith(command))).toBeDefined();
  expect(welcome(service, configuration)).toContain(`WARNING: The store is damaged`);
  expect(welcome(service, configuration)).toContain(command);
  const { body: health } = await call(`${service.url}/health`);
  expect(health.warnings).toEqual([expect.stringContaining('event-manager-journal repair')]);
  const refused = await postJson(`${service.url}/events`, sample());
  expect([refused.status, refused.body.code]).toEqual([503, 'store_read_only']);
  expect(refused.body.detail).toContain('event-manager-journal repair');
  expect(JSON.stringify([health, refused.body])).not.toContain(configuration.dataDir);
});

it('warns of a word among the permitted addresses that is no word but is taken as a name', async () => {
  const { warnings } = await runService({
    webhookAllow: ['loopbak', 'loopback', '10.0.0.0/8', 'fd00::/8', 'a.internal'],
  });
  expect(warnings.filter((warning) => warning.includes('webhookAllow'))).toEqual([
    expect.stringContaining('"loopbak"'),
  ]);
});

it('gives the store back when it cannot listen', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const configuration = configure({ adapter: 'journal', dataDir: directory(), port });
  await expect(startService({ configuration, logger })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  server.close();
  await once(server, 'close');
  await (await startService({ configuration, logger })).stop();
});

it('cuts a request that does not end and stops within its time', async () => {
  const service = await startService({ configuration: configure({ shutdownMs: 1_000 }), logger });
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  socket.on('error', () => {});
  const type = 'content-type: application/json';
  socket.write(`POST /events HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: 100\r\n\r\n{"type":`);
  await once(socket, 'connect');
  // Answered by the time this is: the request above has been read.
  await call(`${service.url}/livez`);
  const startedMs = performance.now();
  await Promise.all([service.stop(), service.stop(), once(socket, 'close')]);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  await expect(call(`${service.url}/livez`)).rejects.toThrow();
});
