import { once } from 'node:events';
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { checkNode } from '../../src/commands/doctor/check-node.ts';
import { run, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly detail: string;
  readonly advice?: string;
}

async function examine(environment: Record<string, string>, ...more: string[]) {
  const { code, out, err } = await run(['doctor', '--json', ...more], { environment });
  expect(err).toBe('');
  const { status, findings } = JSON.parse(out) as { status: string; findings: Finding[] };
  const about = (check: string) => findings.filter((found) => found.check === check);
  return { code, status, findings, about };
}

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('finds nothing wrong where nothing is, and says that nobody answers', async () => {
  const environment = { EVENT_MANAGER_PORT: String(await freePort()), EVENT_MANAGER_DATA_DIR: temporaryFolder() };
  const { code, status, about } = await examine(environment);
  expect([code, status]).toEqual([0, 'warning']);
  expect(about('port')[0]).toMatchObject({ status: 'ok', detail: expect.stringMatching(/is free/) });
  expect(about('data directory').map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
  expect(about('service')[0]).toMatchObject({
    status: 'warning',
    advice: expect.stringMatching(/event-manager serve/),
  });
  expect(about('node')[0]).toMatchObject({ status: 'ok' });
  expect(checkNode('22.1.0')).toMatchObject({ status: 'failed', advice: expect.stringMatching(/24 or newer/) });
});

it('knows the service of these settings by its directory and port', async () => {
  const dataDir = join(temporaryFolder(), 'data');
  const { url } = await runningService(dataDir);
  const { code, status, about } = await examine({
    EVENT_MANAGER_PORT: new URL(url).port,
    EVENT_MANAGER_DATA_DIR: dataDir,
  });
  expect([code, status]).toEqual([0, 'ok']);
  expect(about('port')[0]!.detail).toMatch(/is used by the running service/);
  expect(about('data directory').at(-1)!.detail).toBe('the running service has it open');
  expect(about('service')[0]!.detail).toMatch(/is serving, ok; durability synced/);
  // With another port the same directory belongs to somebody else.
  const other = await examine({ EVENT_MANAGER_PORT: String(await freePort()), EVENT_MANAGER_DATA_DIR: dataDir });
  expect(other.about('data directory').at(-1)).toMatchObject({
    status: 'warning',
    detail: expect.stringMatching(/has it open/),
  });
});

it('warns of a port for metrics that somebody else has', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const metricsPort = String((other.address() as AddressInfo).port);
  const port = { EVENT_MANAGER_PORT: String(await freePort()), EVENT_MANAGER_ADAPTER: 'memory' };
  const taken = await examine({ ...port, EVENT_MANAGER_METRICS_PORT: metricsPort });
  expect([taken.code, taken.about('port')]).toEqual([
    0,
    [expect.objectContaining({ status: 'ok' }), expect.objectContaining({ status: 'warning' })],
  ]);
  const off = { EVENT_MANAGER_METRICS_PORT: metricsPort, EVENT_MANAGER_METRICS_ENABLED: 'false' };
  expect((await examine({ ...port, ...off })).about('port')).toHaveLength(1);
});

it('says which of two names won', async () => {
  const { about } = await examine({
    EVENT_MANAGER_PORT: String(await freePort()),
    PORT: '80',
    REDIS_URL: 'redis://b',
    VECTOR_STORE_URL: 'http://c',
    EVENT_MANAGER_VECTOR_STORE_URL: 'http://d',
    AAS_WEBHOOK_URL: 'https://aas/x',
    AAS_SERVICE_URL: 'https://aas',
    AAS_WEBHOOK_ENDPOINT: '/y',
  });
  const details = about('settings').map(({ detail }) => detail);
  expect(details).toContain('port: EVENT_MANAGER_PORT won over PORT');
  expect(details).toContain('vectorStoreUrl: EVENT_MANAGER_VECTOR_STORE_URL won over VECTOR_STORE_URL');
  expect(details).toContain('aasWebhookUrl: AAS_WEBHOOK_URL won over AAS_SERVICE_URL, AAS_WEBHOOK_ENDPOINT');
});

it('fails for what would keep the service from starting', async () => {
  const wrong = await examine({ EVENT_MANAGER_PORT: 'x' });
  expect([wrong.code, wrong.status, wrong.about('settings')[0]!.detail]).toEqual([
    1,
    'failed',
    expect.stringMatching(/port/),
  ]);

  const stranger = createServer((_request, response) => response.end('hello'));
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  onTestFinished(() => {
    stranger.close();
    stranger.closeAllConnections();
  });
  const port = String((stranger.address() as AddressInfo).port);
  const taken = await examine({ EVENT_MANAGER_PORT: port, EVENT_MANAGER_ADAPTER: 'memory' });
  expect(taken.code).toBe(1);
  expect(taken.about('service')[0]!.detail).toMatch(/something else answers/);
  expect(taken.about('port')[0]).toMatchObject({ status: 'failed', detail: expect.stringMatching(/EADDRINUSE/) });
  expect(taken.about('data directory')[0]).toMatchObject({ status: 'warning' });

  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const below = await examine({
    EVENT_MANAGER_PORT: String(await freePort()),
    EVENT_MANAGER_DATA_DIR: join(file, 'data'),
  });
  expect([below.code, below.about('data directory')[0]!.detail]).toEqual([1, `${file} is a file`]);
});

it('notices a clock that is behind what was written', async () => {
  const dataDir = temporaryFolder();
  writeFileSync(join(dataDir, 'events'), '');
  utimesSync(join(dataDir, 'events'), new Date('2099-01-01'), new Date('2099-01-01'));
  const { about } = await examine({ EVENT_MANAGER_PORT: String(await freePort()), EVENT_MANAGER_DATA_DIR: dataDir });
  expect(about('clock')[0]).toMatchObject({ status: 'warning', detail: expect.stringMatching(/behind .* 2099/) });
});

it('notices a directory that this user may not use', async (context) => {
  if (process.getuid?.() === 0) context.skip('root may use every directory');
  const dataDir = join(temporaryFolder(), 'closed');
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o500);
  const { about } = await examine({ EVENT_MANAGER_DATA_DIR: dataDir });
  expect(about('data directory')[0]).toMatchObject({ status: 'failed', detail: expect.stringMatching(/EACCES/) });
});

it('speaks to people in lines', async () => {
  const { out } = await run(['doctor'], { environment: { EVENT_MANAGER_PORT: 'x' } });
  expect(out).toMatch(/^ok {7}node {12}Node \S+\nFAILED {3}settings {8}The setting port .*\n {25}Correct it; docs\//);
});
