import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followStream } from '../../examples/github-demo/follow-stream.ts';
import { ServiceProcess, type ServiceProcessOptions } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

const SHUTDOWN_MS_MAX = 10_000;
const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };

async function start(options: Partial<ServiceProcessOptions> = {}): Promise<ServiceProcess> {
  const service = new ServiceProcess({ dataDir: temporaryDirectory(), port: 0, environment, ...options });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  await service.listening();
  return service;
}

/** A receiver that takes requests and answers when it is told to, if ever. */
async function silentReceiver(): Promise<{ endpoint: string; asked: () => number; answer: () => void }> {
  let asked = 0;
  let isSilent = true;
  const server = createServer((_request, response) => {
    asked++;
    if (!isSilent) response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { endpoint, asked: () => asked, answer: () => void (isSilent = false) };
}

function post(url: string, value: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(value) });
}

const event = (canary = '') => ({ type: 'a.b', source: 'test', payload: { canary } });

describe('the service as a process', () => {
  it('ends with 0 within 10 s while streams are open, publishers publish and a receiver is silent; nothing owed is lost', async () => {
    const dataDir = temporaryDirectory();
    const service = await start({ dataDir });
    const { url, port } = service;
    const { endpoint, asked, answer } = await silentReceiver();
    const created = await post(`${url}/subscriptions`, { name: 'silent', topic: '#', endpoint });
    const { id } = (await created.json()) as { id: string };
    const frames: string[] = [];
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    for (let count = 0; count < 20; count++) {
      await new Promise<void>((resolve) => {
        const onFrame = ({ kind }: { kind: string }) => frames.push(kind);
        void followStream({ url: `${url}/events/stream`, signal: abort.signal, onFrame, onOpen: resolve });
      });
    }
    let acknowledged = 0;
    const publish = async () => {
      for (;;) {
        const response = await post(`${url}/events`, event()).catch(() => undefined);
        if (response?.status !== 201) return response?.status;
        await response.arrayBuffer();
        acknowledged++;
      }
    };
    const publishers = [publish(), publish(), publish(), publish()];
    await until('the receiver is asked', 20_000, () => asked() > 0 && acknowledged > 50 && frames.length > 0);

    const startedMs = performance.now();
    expect(await service.stop('SIGTERM')).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(SHUTDOWN_MS_MAX);
    // Whoever was refused was told so in HTTP; the others found the door closed.
    for (const status of await Promise.all(publishers)) expect([503, undefined]).toContain(status);
    abort.abort();

    answer();
    await start({ dataDir, port });
    const delivered = async () => {
      const response = await fetch(`${url}/subscriptions/${id}`);
      return ((await response.json()) as { status: { counts: { delivered: number } } }).status.counts.delivered;
    };
    await until('everything owed is delivered', 60_000, async () => (await delivered()) >= acknowledged);
  });

  it('ends at once on a second signal', async () => {
    const service = await start();
    const { endpoint, asked } = await silentReceiver();
    await post(`${service.url}/subscriptions`, { name: 'silent', topic: '#', endpoint });
    await post(`${service.url}/events`, event());
    await until('the receiver is asked', 20_000, () => asked() > 0);
    service.signal('SIGTERM');
    await until('it drains', 5_000, () => service.log.some((line) => line.includes('draining')));
    const repeated = setInterval(() => service.signal('SIGTERM'), 100);
    onTestFinished(() => clearInterval(repeated));
    expect(await service.exited).toBe(1);
  });

  it('writes only JSON lines to stdout, none with anything of a payload, a secret or a header', async () => {
    const service = await start({ environment: { ...environment, EVENT_MANAGER_LOG_LEVEL: 'debug' } });
    const { endpoint } = await silentReceiver();
    const secret = `whsec_${Buffer.from('canary-secret-canary-secret').toString('base64')}`;
    const headers = { authorization: 'canary-header' };
    await post(`${service.url}/subscriptions`, { name: 'n', topic: '#', endpoint, secret, headers });
    await post(`${service.url}/events`, event('canary-payload\u001b[31m\n'));
    await post(`${service.url}/events`, { ...event('canary-refused'), type: 'canary\nrefused' });
    await fetch(`${service.url}/canary%0aline`);
    expect(await service.stop('SIGTERM')).toBe(0);
    expect(service.log.length).toBeGreaterThan(4);
    for (const line of service.log) expect(JSON.parse(line)).toHaveProperty('level');
    expect(service.log.join('\n')).not.toMatch(/canary-|Y2FuYXJ5/);
  });

  it('says loudly, in its health too, that it serves everybody when somebody allowed it to', async () => {
    const allowed = { EVENT_MANAGER_ALLOW_UNAUTHENTICATED: 'true' };
    const service = await start({ environment: allowed, args: ['--host', '0.0.0.0', '--adapter', 'memory'] });
    await until('it has spoken', 5_000, () => service.complaint.includes('curl'));
    expect(service.complaint).toMatch(/WARNING: No authentication/);
    const health = (await (await fetch(`http://127.0.0.1:${service.port}/health`)).json()) as object;
    expect(health).toMatchObject({
      durability: 'none',
      warnings: [expect.stringMatching(/memory only/), expect.stringMatching(/No authentication/)],
    });
  });
});

describe('a start that cannot succeed ends with one sentence, and with 1, or 2 for a setting', () => {
  async function complaint(options: Partial<ServiceProcessOptions>, code = 1): Promise<string> {
    const service = new ServiceProcess({ dataDir: temporaryDirectory(), port: 0, environment, ...options });
    onTestFinished(async () => void (await service.stop('SIGKILL')));
    expect(await service.exited).toBe(code);
    await until('it has spoken', 5_000, () => service.complaint !== '');
    expect(service.complaint).toMatch(/^event-manager: .*\n$/);
    return service.complaint;
  }

  it('when another process has the data directory', async () => {
    const dataDir = temporaryDirectory();
    const first = await start({ dataDir });
    const told = await complaint({ dataDir });
    expect(told).toMatch(/End that, or use another directory: --data-dir.*\[store_locked\]/);
    expect(told).toContain(dataDir);
    expect(await first.stop('SIGTERM')).toBe(0);
  });

  it('when the port is taken', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const told = await complaint({ port });
    expect(told).toMatch(/is in use.*--port/);
    expect(told).toContain(`port ${port} `);
  });

  it('when a setting is wrong, unknown, or lets strangers in', async () => {
    expect(await complaint({ args: ['--adapter', 'kafka'] }, 2)).toMatch(/--adapter.*\[invalid_setting\]/);
    expect(await complaint({ environment: { EVENT_MANAGER_PORTT: '1' } }, 2)).toMatch(/EVENT_MANAGER_PORTT/);
    expect(await complaint({ args: ['--host', '0.0.0.0'] }, 2)).toMatch(/no authentication/);
    expect(await complaint({ environment: { EVENT_MANAGER_WEBHOOK_ALLOW: 'a b' } }, 2)).toMatch(/\[invalid_setting\]/);
  });

  it('when the data directory cannot be made', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expect(await complaint({ dataDir: join(file, 'here') })).toMatch(/The data directory cannot be made.*--data-dir/);
    expect(await complaint({ dataDir: file })).toMatch(/The data directory cannot be made.*--data-dir/);
  });
});
